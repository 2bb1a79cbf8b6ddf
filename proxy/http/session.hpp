// One client connection: requests in, one after another, each relayed or handed to the interceptor; what goes
// wrong is answered here. The bytes between client and upstream are relay.hpp's.
#pragma once

#include <boost/asio/cancellation_signal.hpp>
#include <boost/intrusive/list_hook.hpp>
#include <memory>
#include <string>

#include "proxy/http/forwarding.hpp"
#include "proxy/http/interceptor.hpp"
#include "proxy/http/observer.hpp"
#include "proxy/http/places.hpp"
#include "proxy/http/relay.hpp"
#include "proxy/http/request_tracing.hpp"

namespace qrerank::proxy::http {

/// What the sessions of one I/O thread share. Everything outlives them.
struct SessionContext {
  const config::Proxy& config;
  upstream::Pool& pool;
  upstream::Client& client;
  Interceptor& interceptor;
  Observer* observer;  // may be null
  Deadlines& deadlines;
  ByteBudget& held;                // of bodies that are inspected
  const tls::CurrentContext& tls;  // of the listener; holds nothing while it is plain
  const bool& draining;
  const trace::Tracer* tracer;  // null: no tracing
};

class Session
    : public boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>> {
 public:
  /// `from`: the client's address.
  Session(const SessionContext& context, Socket socket, const asio::ip::address& from)
      : context_(context),
        from_(from),
        tracing_(context.tracer),
        client_(std::move(socket), context.deadlines),
        buffer_(kBufferBytes),
        whole_(context.deadlines, [this] { run_out(); }) {}

  /// Until the connection is closed. Throws only for our own bugs, or when cancelled.
  [[nodiscard]] Awaitable<void> run();

  /// The drain began: closes the connection if no request is on it. Others end with their response.
  void close_if_idle();

  /// Ends run() at once: the drain's time is over.
  void kill() {
    killed_ = true;
    cancel_.emit(asio::cancellation_type::terminal);
  }
  /// After run() has thrown: a request that was under way is told to the observer.
  void account_for_killed();
  [[nodiscard]] asio::cancellation_slot slot() { return cancel_.slot(); }

 private:
  // Most heads fit; a longer one, or a streamed body, gets more for its time.
  static constexpr std::size_t kBufferBytes = 16 * 1024;

  static constexpr std::string_view kLateBody =
      "the request body did not arrive within proxy.request_timeout";
  static constexpr std::string_view kLateAnswer = "not answered within proxy.request_timeout";

  enum class Next { request, close };
  struct Handled;

  [[nodiscard]] Awaitable<bool> secure(tls::ContextPtr context);
  [[nodiscard]] Awaitable<Next> wait_for_request();
  [[nodiscard]] Awaitable<ErrorCode> read_first_bytes();
  [[nodiscard]] Awaitable<Next> receive_head();
  [[nodiscard]] Awaitable<bool> serve();
  [[nodiscard]] std::optional<Reply> prepare_forwarding();
  [[nodiscard]] Awaitable<bool> answer_here(Reply reply);
  [[nodiscard]] Awaitable<bool> relay(const std::vector<Field>& response_headers);
  // Of a request whose body is held: session_inspected.cpp.
  [[nodiscard]] Awaitable<bool> inspect(HeadVerdict verdict);
  [[nodiscard]] Awaitable<bool> pass_held(PassAsItCame pass);
  [[nodiscard]] Awaitable<Handled> handle(InspectedRequest request);
  [[nodiscard]] Awaitable<void> watch();
  [[nodiscard]] Awaitable<bool> finish(const RelayRequest& request);
  [[nodiscard]] Awaitable<bool> reply(Reply reply, bool keep_alive);
  [[nodiscard]] Awaitable<bool> refuse(unsigned status, std::string_view why);
  [[nodiscard]] Awaitable<void> linger();
  void run_out();
  void trip(Limit limit);
  void pin_head();
  void shed();
  void record(unsigned status, std::uint64_t response_bytes, std::string_view failure,
              std::string_view kind = {}, const Told& told = {});
  [[nodiscard]] const std::string& peer();

  SessionContext context_;
  const asio::ip::address from_;
  RequestTracing tracing_;
  Wire client_;
  Buffer buffer_;
  Deadline whole_;          // proxy.request_timeout
  Relay* relay_ = nullptr;  // while one runs
  asio::cancellation_signal cancel_;
  bool idle_ = false;
  bool killed_ = false;
  std::string peer_;  // the client's address, once it is asked for

  // Of the request that is being served:
  RequestHead head_;
  RequestId id_;
  std::string_view endpoint_;
  std::string_view upstream_;  // the server that was asked
  AddedLines added_;           // what head_ points into where we changed it
  std::string head_bytes_;     // and, once it is pinned, for the rest
  std::size_t head_size_ = 0;
  MessageFacts facts_;
  bool inspected_ = false;
  bool unrecorded_ = false;
  bool unread_body_ = false;  // the client may still be sending: linger when closing
  Clock::time_point received_{};
  std::string out_;  // heads going out; kept for its capacity
};

}  // namespace qrerank::proxy::http
