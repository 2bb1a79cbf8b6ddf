#include "proxy/service/hangups.hpp"

#include <signal.h>

namespace qrerank::proxy::service {
namespace {

void mask(int how) {
  sigset_t hangup;
  ::sigemptyset(&hangup);
  ::sigaddset(&hangup, SIGHUP);
  ::pthread_sigmask(how, &hangup, nullptr);  // fails only for a `how` that does not exist
}

}  // namespace

void hold_hangups() {
  mask(SIG_BLOCK);
}
void release_hangups() {
  mask(SIG_UNBLOCK);
}

}  // namespace qrerank::proxy::service
