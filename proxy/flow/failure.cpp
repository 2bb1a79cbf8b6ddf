#include "proxy/flow/failure.hpp"

namespace qrerank::proxy::flow {
namespace {

// Seconds after which another try makes sense: a queue empties, a model loads within this order of magnitude.
constexpr std::string_view kRetryAfterSeconds = "2";

std::string_view explanation(Reason reason) {
  switch (reason) {
    case Reason::overloaded:
      return "the scoring queue is full";
    case Reason::timeout:
      return "the time limit for scoring passed";
    case Reason::model_unavailable:
      return "the model is not available";
    case Reason::out_of_memory:
      return "the model ran out of memory";
    case Reason::backend_error:
      return "the scoring backend failed";
    case Reason::no_candidates:
    case Reason::no_text:
    case Reason::no_query:
    case Reason::internal:
      break;
  }
  return "scoring failed";
}

http::Reply failed_reply(std::string message, Reason reason, std::string_view model) {
  const unsigned status = reason == Reason::out_of_memory ? 507 : 503;
  message += std::string(explanation(reason)) + " (" + std::string(label(reason));
  if (!model.empty()) message += ", model " + std::string(model);
  message += ")";
  auto reply = http::error_reply(status, message);
  reply.failure = std::move(message);
  if (status == 503) reply.fields.push_back({"retry-after", std::string(kRetryAfterSeconds)});
  reply.fields.push_back({"X-Reranking-Used", "false"});
  reply.fields.push_back({"X-Reranking-Reason", std::string(label(reason))});
  return reply;
}

}  // namespace

std::string_view label(Reason reason) {
  switch (reason) {
    case Reason::overloaded:
      return "overloaded";
    case Reason::timeout:
      return "timeout";
    case Reason::model_unavailable:
      return "model_unavailable";
    case Reason::out_of_memory:
      return "out_of_memory";
    case Reason::no_candidates:
      return "no_candidates";
    case Reason::no_text:
      return "no_text";
    case Reason::no_query:
      return "no_query";
    case Reason::backend_error:
      return "backend_error";
    case Reason::internal:
      return "internal";
  }
  return "internal";
}

Reason reason_of(reranker::ScoreFailure failure) {
  using reranker::ScoreFailure;
  switch (failure) {
    case ScoreFailure::overloaded:
      return Reason::overloaded;
    case ScoreFailure::timeout:
      return Reason::timeout;
    case ScoreFailure::model_unavailable:
      return Reason::model_unavailable;
    case ScoreFailure::out_of_memory:
      return Reason::out_of_memory;
    case ScoreFailure::backend_error:
      return Reason::backend_error;
    case ScoreFailure::cancelled:
    case ScoreFailure::internal:
      return Reason::internal;
  }
  return Reason::internal;
}

http::Reply refused(std::string_view message) {
  auto reply = http::error_reply(400, message);
  reply.kind = kRefused;
  return reply;
}

bool refuses(Reason reason, reranker::OnError on_error) {
  if (on_error != reranker::OnError::error) return false;
  return reason != Reason::no_candidates && reason != Reason::no_text && reason != Reason::no_query;
}

http::Reply refusal(Reason reason, std::string_view model) {
  return failed_reply("Reranking failed: ", reason, model);
}

http::Reply not_embedded(Reason reason, std::string_view model) {
  return failed_reply("A Document got no vector: ", reason, model);
}

}  // namespace qrerank::proxy::flow
