// SIGHUP in the first moments, before anybody is there to handle it. The handling is reloader.hpp's.
#pragma once

namespace qrerank::proxy::service {

/// From here on a SIGHUP waits instead of ending the process. Threads started meanwhile never get one.
void hold_hangups();

/// One that waited is delivered now. Call it on the main thread once it is handled, or where none is.
void release_hangups();

}  // namespace qrerank::proxy::service
