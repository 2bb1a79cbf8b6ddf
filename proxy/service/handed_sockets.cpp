#include "proxy/service/handed_sockets.hpp"

#include <fcntl.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace qrerank::proxy::service {
namespace {

constexpr int kMostHanded = 64;

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (true) {
    const auto colon = text.find(':');
    parts.emplace_back(text.substr(0, colon));
    if (colon == std::string_view::npos) return parts;
    text.remove_prefix(colon + 1);
  }
}

int option(int descriptor, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(descriptor, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// Why it cannot be listened on; empty: it can.
std::string_view fault_of(int descriptor) {
  if (option(descriptor, SO_TYPE) != SOCK_STREAM) return "is no stream socket";
  const int domain = option(descriptor, SO_DOMAIN);
  if (domain != AF_INET && domain != AF_INET6) return "is no TCP socket";
  if (option(descriptor, SO_ACCEPTCONN) != 1) return "does not listen (Accept=no in the socket unit?)";
  return "";
}

using Slots = std::map<std::string, std::optional<int>>;

bool same_address(int one, int other) {
  std::array<sockaddr_storage, 2> bound{};
  std::array<socklen_t, 2> sizes{sizeof(sockaddr_storage), sizeof(sockaddr_storage)};
  const auto ask = [&](int descriptor, std::size_t at) {
    return ::getsockname(descriptor, reinterpret_cast<sockaddr*>(&bound[at]), &sizes[at]) == 0;
  };
  return ask(one, 0) && ask(other, 1) && sizes[0] == sizes[1] &&
         std::memcmp(&bound[0], &bound[1], sizes[0]) == 0;
}

// Whose socket is the same one, or shares its port: connections would go to either. Empty: nobody's.
std::string who_shares(const Slots& slots, int descriptor) {
  const auto other = std::ranges::find_if(
      slots, [&](const auto& slot) { return slot.second && same_address(*slot.second, descriptor); });
  return other == slots.end() ? std::string() : other->first;
}

}  // namespace

tl::expected<Handed, std::string> read_handed(const Environment& environment, long own_pid) {
  const auto pid = variable(environment, "LISTEN_PID");
  const auto count = variable(environment, "LISTEN_FDS");
  if (pid.empty() || count.empty() || whole_number(pid) != own_pid) return Handed{};
  const auto handed = whole_number(count);
  if (!handed || *handed < 0 || *handed > kMostHanded) {
    return tl::unexpected("LISTEN_FDS: '" + std::string(count) + "' is not a number of sockets");
  }
  Handed read;
  read.count = static_cast<int>(*handed);
  if (const auto names = variable(environment, "LISTEN_FDNAMES"); !names.empty()) {
    read.names = split(names);
    if (read.names.size() != static_cast<std::size_t>(read.count)) {
      return tl::unexpected("LISTEN_FDNAMES: '" + std::string(names) +
                            "' names another number of sockets than " + "LISTEN_FDS, " + std::string(count));
    }
  }
  return read;
}

tl::expected<Listeners, std::string> take_handed(const Handed& handed,
                                                 const std::vector<std::string>& relays) {
  Slots slots{{"proxy", {}}, {"admin", {}}};
  for (const auto& relay : relays) slots["relays." + relay];
  // One of a relay that is not configured is no unnamed one: it would become the proxy's.
  const bool named = std::ranges::any_of(handed.names, [&](const std::string& name) {
    return slots.contains(name) || name.starts_with("relays.");
  });
  constexpr std::array<std::string_view, 2> kInOrder = {"proxy", "admin"};
  if (!named && handed.count > static_cast<int>(kInOrder.size())) {
    return tl::unexpected(
        std::to_string(handed.count) +
        " sockets were handed over, none of them named proxy, admin or relays.NAME (FileDescriptorName=)");
  }
  for (int i = 0; i < handed.count; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const std::string name(named ? std::string_view(handed.names[at]) : kInOrder[at]);
    const std::string shown = "the socket handed over as " + name;
    const auto slot = slots.find(name);
    if (slot == slots.end())
      return tl::unexpected(shown + " is neither proxy nor admin nor one of relays (FileDescriptorName=)");
    if (slot->second) return tl::unexpected(shown + " is there twice; one address each, please");
    const int descriptor = handed.first + i;
    if (const auto fault = fault_of(descriptor); !fault.empty()) {
      return tl::unexpected(shown + " " + std::string(fault));
    }
    if (const auto other = who_shares(slots, descriptor); !other.empty()) {
      return tl::unexpected(shown + " has the address of the one handed over as " + other +
                            "; one address each, please");
    }
    ::fcntl(descriptor, F_SETFD, FD_CLOEXEC);  // fails only for what is no descriptor, which was looked at
    slot->second = descriptor;
  }
  Listeners listeners{slots["proxy"], slots["admin"], {}};
  for (const auto& relay : relays) {
    if (const auto socket = slots["relays." + relay]) listeners.relays.emplace(relay, *socket);
  }
  return listeners;
}

}  // namespace qrerank::proxy::service
