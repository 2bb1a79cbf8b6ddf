// Loaded before the C library by a test: the lookup of a name that begins with "hangs." never returns, as
// where no name server answers. All others are the system's.
#include <dlfcn.h>
#include <netdb.h>
#include <unistd.h>

#include <string_view>

extern "C" int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** found) {
  while (node != nullptr && std::string_view(node).starts_with("hangs.")) ::pause();
  using LookUp = int (*)(const char*, const char*, const addrinfo*, addrinfo**);
  static const auto next = reinterpret_cast<LookUp>(::dlsym(RTLD_NEXT, "getaddrinfo"));
  return next(node, service, hints, found);
}
