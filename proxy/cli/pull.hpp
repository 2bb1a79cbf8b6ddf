// `qrerank pull`: a model's files from the Hugging Face hub into a folder, each checked against the hub's
// hash.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>

#include "proxy/cli/command_line.hpp"
#include "proxy/config/secret.hpp"

namespace qrerank::proxy::cli {

/// What the environment contributes.
struct HubAccess {
  std::string endpoint = "https://huggingface.co";  ///< HF_ENDPOINT
  config::Secret token;                             ///< HF_TOKEN, or empty
};

/// HF_ENDPOINT and HF_TOKEN of this process.
HubAccess hub_access_of_process();

/// Downloads, or verifies what is there. Files come as `<name>.part`, are hashed, synced and renamed; the
/// manifest is written last, so a folder with a manifest is whole. `on_terminal` rewrites one line for
/// progress, else there is a line a file.
ExitCode pull(const PullCommand& command, const HubAccess& access, bool on_terminal, std::ostream& out,
              std::ostream& problems);

}  // namespace qrerank::proxy::cli
