#include "proxy/cli/pull.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <ostream>
#include <thread>

#include "proxy/cli/check_config.hpp"
#include "proxy/cli/fetch.hpp"
#include "proxy/cli/file_hash.hpp"
#include "proxy/cli/hub_listing.hpp"
#include "proxy/cli/manifest.hpp"
#include "proxy/http/target.hpp"

namespace qrerank::proxy::cli {
namespace {

namespace fs = std::filesystem;

using Done = tl::expected<void, std::string>;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kMaxListingBytes = 16u << 20;
constexpr std::uint64_t kProgressThatCounts = 1u << 20;  // bytes after which attempts start counting anew

std::string human(std::uint64_t bytes) {
  return bytes < (1u << 20) ? fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024)
                            : fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

tl::unexpected<std::string> system_error(const fs::path& path, std::string_view step) {
  return tl::unexpected(fmt::format("{}: {}: {}", path.string(), step, std::strerror(errno)));
}

// "/1_Pooling/config.json"
std::string url_path(const std::string& name) {
  std::string path;
  for (const auto& part : fs::path(name)) {
    path += "/" + http::path_segment(part.string());
  }
  return path;
}

// A rename is only durable once its folder is.
Done sync_folder(const fs::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) {
    return system_error(folder, "open");
  }
  const bool synced = ::fsync(descriptor) == 0;
  const int saved = errno;
  ::close(descriptor);
  errno = saved;
  return synced ? Done() : system_error(folder, "sync");
}

Done write_file(const fs::path& path, const std::string& text) {
  const fs::path part = path.string() + ".part";
  const int descriptor = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (descriptor < 0) {
    return system_error(part, "open");
  }
  const bool written = ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
                       ::fsync(descriptor) == 0;
  const int saved = errno;
  ::close(descriptor);
  errno = saved;
  if (!written || ::rename(part.c_str(), path.c_str()) != 0) {
    return system_error(path, "write");
  }
  return sync_folder(path.parent_path());
}

// One pull at a time into a folder; the lock goes with the process.
class FolderLock {
 public:
  ~FolderLock() {
    if (descriptor_ >= 0) {
      ::close(descriptor_);
    }
  }

  Done take(const fs::path& folder) {
    descriptor_ = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (descriptor_ < 0) {
      return system_error(folder, "open");
    }
    if (::flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
      return errno == EWOULDBLOCK ? Done(tl::unexpected(folder.string() + ": another pull is writing here"))
                                  : Done(system_error(folder, "lock"));
    }
    return {};
  }

 private:
  int descriptor_ = -1;
};

bool matches(const HubFile& wanted, const FileHashes& found) {
  return wanted.bytes == found.bytes &&
         (wanted.sha256.empty() ? wanted.git_sha1 == found.git_sha1 : wanted.sha256 == found.sha256);
}

class Pull {
 public:
  Pull(const PullCommand& command, const HubAccess& access, fs::path folder, bool on_terminal,
       std::ostream& out)
      : command_(command),
        access_(access),
        folder_(std::move(folder)),
        on_terminal_(on_terminal),
        out_(out),
        fetcher_(access.endpoint, access.token) {}

  Done run() {
    auto listing = read_listing();
    if (!listing) {
      return tl::unexpected(listing.error());
    }
    commit_ = listing->commit;
    std::error_code error;
    fs::create_directories(folder_, error);
    if (error) {
      return tl::unexpected(folder_.string() + ": " + error.message());
    }
    FolderLock lock;
    if (auto locked = lock.take(folder_); !locked) {
      return locked;
    }
    const auto before = read_manifest(folder_);
    if (before && before->hub != command_.hub_name) {
      return tl::unexpected(folder_.string() + " holds " + before->hub + "; choose another folder with --to");
    }
    Manifest manifest{command_.hub_name, listing->commit, {}};
    bool changed = !before || before->revision != listing->commit;
    for (const auto& file : listing->files) {
      auto fetched = provide(file, changed);
      if (!fetched) {
        return tl::unexpected(file.name + ": " + fetched.error());
      }
      manifest.files[file.name] = *fetched;
    }
    changed = changed || before->files != manifest.files;
    if (!changed) {
      out_ << folder_.string() << " is up to date: " << listing->commit << ", " << manifest.files.size()
           << " files verified\n";
      return {};
    }
    if (auto written = write_file(folder_ / Manifest::kFileName, print_manifest(manifest)); !written) {
      return written;
    }
    if (before) {
      remove_stale(*before, manifest);
    }
    out_ << folder_.string() << " holds " << command_.hub_name << " at " << listing->commit << "\n";
    return {};
  }

 private:
  // Runs `attempt` until it succeeds, fails for good, or the attempts are used up.
  template <class Attempt>
  auto persist(Attempt attempt, const std::function<bool()>& made_progress) -> decltype(attempt()) {
    auto pause = std::chrono::milliseconds(500);
    for (int left = command_.retries;; --left) {
      auto result = attempt();
      if (result || !result.error().may_pass) {
        return result;
      }
      if (made_progress()) {
        left = command_.retries;
        pause = std::chrono::milliseconds(500);
      }
      if (left <= 0) {
        return result;
      }
      const auto wait = std::max(pause, std::chrono::milliseconds(result.error().wait_at_least));
      end_progress_line();
      out_ << "  " << result.error().message << "; trying again\n" << std::flush;
      std::this_thread::sleep_for(wait);
      pause = std::min(pause * 2, std::chrono::milliseconds(8000));
    }
  }

  tl::expected<HubListing, std::string> read_listing() {
    const std::string url = access_.endpoint + "/api/models/" + command_.hub_name + "/revision/" +
                            http::path_segment(command_.revision) + "?blobs=true";
    const auto text = persist([&] { return fetcher_.get_text(url, kMaxListingBytes); }, [] { return false; });
    if (!text) {
      return tl::unexpected(text.error().message);
    }
    return read_hub_listing(*text);
  }

  // Sees to it that the file is in the folder with the right content.
  tl::expected<Manifest::File, std::string> provide(const HubFile& file, bool& changed) {
    const fs::path path = folder_ / file.name;
    std::error_code error;
    if (fs::exists(path, error)) {
      auto there = hash_file(path);
      if (there && matches(file, *there)) {
        return Manifest::File{there->sha256, there->bytes};
      }
    }
    changed = true;
    fs::create_directories(path.parent_path(), error);
    if (error) {
      return tl::unexpected(path.parent_path().string() + ": " + error.message());
    }
    return download(file, path);
  }

  tl::expected<Manifest::File, std::string> download(const HubFile& file, const fs::path& path) {
    const fs::path part = path.string() + ".part";
    std::error_code error;
    const auto have = fs::exists(part, error) ? fs::file_size(part, error) : 0;
    if (const auto room = fs::space(folder_, error);
        !error && have < file.bytes && room.available < file.bytes - have) {
      return tl::unexpected(fmt::format("the disk is too full: {} needed, {} free in {}",
                                        human(file.bytes - have), human(room.available), folder_.string()));
    }
    out_ << (have > 0 ? "resuming " : "downloading ") << file.name << " (" << human(file.bytes) << ")\n"
         << std::flush;
    const std::string url =
        access_.endpoint + "/" + command_.hub_name + "/resolve/" + commit_ + url_path(file.name);
    std::uint64_t at_last_attempt = have;
    std::uint64_t now = have;
    const auto fetched = persist(
        [&] {
          at_last_attempt = now;
          return fetcher_.get_file(url, part, file.bytes, [&](std::uint64_t bytes) {
            now = bytes;
            show_progress(file, bytes);
          });
        },
        [&] { return now >= at_last_attempt + kProgressThatCounts; });
    end_progress_line();
    if (!fetched) {
      return tl::unexpected(fetched.error().message);
    }
    const auto hashes = hash_file(part);
    if (!hashes) {
      return tl::unexpected(hashes.error());
    }
    if (!matches(file, *hashes)) {
      fs::remove(part, error);  // going on from wrong bytes would never end well
      return tl::unexpected(
          std::string("what arrived has another hash than the hub announced; it was removed"));
    }
    // From here on the folder is no longer what an older manifest says.
    fs::remove(folder_ / Manifest::kFileName, error);
    if (error) {
      return tl::unexpected(error.message());
    }
    fs::rename(part, path, error);
    if (error) {
      return tl::unexpected(error.message());
    }
    if (auto synced = sync_folder(path.parent_path()); !synced) {
      return tl::unexpected(synced.error());
    }
    return Manifest::File{hashes->sha256, hashes->bytes};
  }

  // Files of an older revision that this one has not: a loader might pick them.
  void remove_stale(const Manifest& before, const Manifest& now) {
    for (const auto& [name, unused] : before.files) {
      const bool plain = name.find('/') == std::string::npos && name != "." && name != "..";
      if (plain && !now.files.contains(name)) {
        std::error_code error;
        fs::remove(folder_ / name, error);
        out_ << "removed " << name << (error ? " failed: " + error.message() : "") << "\n";
      }
    }
  }

  void show_progress(const HubFile& file, std::uint64_t bytes) {
    const auto now = Clock::now();
    if (!on_terminal_ || now - shown_ < std::chrono::milliseconds(100)) {
      return;
    }
    shown_ = now;
    open_line_ = true;
    out_ << fmt::format("\r  {} of {}, {:.0f} %   ", human(bytes), human(file.bytes),
                        file.bytes == 0
                            ? 100.0
                            : 100.0 * static_cast<double>(bytes) / static_cast<double>(file.bytes))
         << std::flush;
  }

  void end_progress_line() {
    if (open_line_) {
      out_ << "\n" << std::flush;
      open_line_ = false;
    }
  }

  const PullCommand& command_;
  const HubAccess& access_;
  fs::path folder_;
  bool on_terminal_;
  std::ostream& out_;
  Fetcher fetcher_;
  std::string commit_;  // what the revision stands for, once the hub has said it
  Clock::time_point shown_;
  bool open_line_ = false;  // a progress line without its newline
};

std::string last_part(const std::string& hub_name) {
  return hub_name.substr(hub_name.rfind('/') + 1);
}

}  // namespace

HubAccess hub_access_of_process() {
  HubAccess access;
  if (const char* endpoint = std::getenv("HF_ENDPOINT"); endpoint != nullptr && *endpoint != '\0') {
    access.endpoint = endpoint;
  }
  while (access.endpoint.ends_with('/')) {
    access.endpoint.pop_back();
  }
  if (const char* token = std::getenv("HF_TOKEN"); token != nullptr) {
    access.token = config::Secret(token);
  }
  return access;
}

ExitCode pull(const PullCommand& command, const HubAccess& access, bool on_terminal, std::ostream& out,
              std::ostream& problems) {
  const auto refused = [&](std::string_view why) {
    problems << "qrerank pull: " << why << "\n";
    return kBadUsage;
  };
  if (!is_hub_name(command.hub_name)) {
    return refused("'" + command.hub_name + "' is not a model's name, such as BAAI/bge-reranker-base");
  }
  if (command.revision.empty() || command.revision.size() > 200) {
    return refused("--revision must be a branch, tag or commit");
  }
  if (!is_allowed_url(access.endpoint)) {
    return refused("HF_ENDPOINT must be https (plain http is for this machine itself only)");
  }
  if (!std::ranges::all_of(access.token.reveal(), [](char c) { return c > ' ' && c < 0x7F; })) {
    return refused("HF_TOKEN holds characters that a token cannot have");
  }
  std::string folder;
  if (command.folder) {
    folder = *command.folder;
  } else {
    const auto loaded = read_config(command.config);
    if (!loaded) {
      problems << loaded.error();
      return kBadUsage;
    }
    folder = loaded->models_folder + "/" + last_part(command.hub_name);
  }
  Pull pulling(command, access, folder, on_terminal, out);
  if (const auto done = pulling.run(); !done) {
    problems << "qrerank pull: " << command.hub_name << ": " << done.error() << "\n";
    return kFailed;
  }
  return kOk;
}

}  // namespace qrerank::proxy::cli
