#include "proxy/admin/web.hpp"

#include <algorithm>
#include <span>

#include "proxy/admin/json_reply.hpp"

namespace qrerank::proxy::admin {

// In the generated web_files.cpp.
std::span<const WebFile> web_files();

namespace {

constexpr std::string_view kBelow = "/web/";
constexpr std::string_view kIndex = "/web/index.html";

// No 'unsafe-inline' anywhere: what a payload holds can be neither script nor markup here.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri "
    "'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'";

bool names(std::string_view if_none_match, std::string_view etag) {
  return if_none_match == "*" || if_none_match.find(etag) != std::string_view::npos;
}

}  // namespace

bool is_web_path(std::string_view path) {
  return path == "/" || path.starts_with(kBelow);
}

AdminReply answer_web(std::string_view path, const AdminRequest& request) {
  const auto wanted = path == "/" ? kIndex : path;
  const auto files = web_files();
  const auto file = std::ranges::find(files, wanted, &WebFile::path);
  if (file == files.end()) return error_reply(404, "no such file of the page");
  if (!is_reading(request.method)) return only_read();
  AdminReply reply{200, std::string(file->content_type), "", ""};
  reply.fields = {{"ETag", std::string(file->etag)},
                  {"Cache-Control", "no-cache"},
                  {"Content-Security-Policy", std::string(kPolicy)},
                  {"X-Frame-Options", "DENY"},
                  {"Referrer-Policy", "no-referrer"},
                  {"Cross-Origin-Opener-Policy", "same-origin"},
                  {"Cross-Origin-Resource-Policy", "same-origin"}};
  if (names(request.if_none_match, file->etag)) {
    reply.status = 304;
  } else {
    reply.body = std::string(file->content);
  }
  return reply;
}

}  // namespace qrerank::proxy::admin
