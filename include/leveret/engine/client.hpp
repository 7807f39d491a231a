#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/errc.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/table.hpp"
#include "leveret/engine/client_channel.hpp"
#include "leveret/engine/client_config.hpp"
#include "leveret/core/deadlines.hpp"
#include "leveret/engine/delivery_shape.hpp"
#include "leveret/engine/failure.hpp"
#include "leveret/engine/operation.hpp"
#include "leveret/engine/output_buffer.hpp"
#include "leveret/engine/read_buffer.hpp"
#include "leveret/wire/frame.hpp"
#include "leveret/wire/method.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// What a client tells the layer above. Views are valid until the next call into the client.
struct event {
    event() = default;
    enum class kind : std::uint8_t {
        opened,           ///< the handshake is done
        delivery,         ///< basic.deliver: `channel`, `message`, `delivery_tag`
        got,              ///< basic.get-ok: `channel`, `message`, `delivery_tag`; `op` or null
        returned,         ///< basic.return that belongs to no confirmed publish
        cancelled,        ///< basic.cancel from the broker: `channel`, `text` is the consumer tag
        consuming_unasked, ///< basic.consume-ok whose operation was abandoned: `text` is the tag
        cancel_unasked,   ///< basic.cancel-ok that nobody waits for: `text` is the tag
        flow,             ///< channel.flow from the broker: see channel->flow_active()
        blocked,          ///< connection.blocked: `text` is the reason
        unblocked,        ///< connection.unblocked
        channel_closed,   ///< the broker closed a channel, or answered our close: see reason()
        closed,           ///< the connection has ended: see client::reason(). The last event.
    };
    kind what = kind::opened;
    client_channel* channel = nullptr;
    operation* op = nullptr;
    content message;
    std::uint64_t delivery_tag = 0;
    const char* envelope = nullptr; ///< of `delivery`: its arguments behind the consumer tag
    bool no_ack = false; ///< of `got`
    bool same_consumer = false; ///< of `delivery`: for the consumer of the one before, in the read block
    std::string_view text;
};

/// The client's end of an AMQP 0-9-1 connection without any I/O: bytes and the time come in, bytes and
/// events come out.
///
///     idle --start--> starting --start--> authenticating --tune--> opening --open-ok--> open
///     any --violation, our close--> closing --close-ok, deadline--> closed
///     any --close from the server, end of input--> closed
///
/// Its owner writes `output()`, fills `prepare()`/`received()`, pulls `next_event()` until it gives
/// nothing, and calls `tick()` at `next_deadline()`. Not thread-safe.
class client {
public:
    enum class state : std::uint8_t { idle, starting, authenticating, opening, open, closing, closed };

    explicit client(client_config config) : config_(std::move(config))
    {
        limits_ = config_.limits;
        // Before tune every frame must fit the larger of what we would agree to and what all accept.
        limits_.frame_max = config_.frame_max != 0 ? config_.frame_max : 131072;
        if (limits_.frame_max < wire::frame_min_size)
            limits_.frame_max = wire::frame_min_size;
    }
    client(const client&) = delete;
    client& operator=(const client&) = delete;
    ~client() { deadlines_.disarm(connection_deadline_); deadlines_.disarm(heartbeat_); }

    [[nodiscard]] state current_state() const noexcept { return state_; }
    [[nodiscard]] bool is_open() const noexcept { return state_ == state::open; }

    [[nodiscard]] const failure& reason() const noexcept { return reason_; }
    [[nodiscard]] const table& server_properties() const noexcept { return server_properties_; }
    /// The block that messages in events lie in unless they have one of their own.
    [[nodiscard]] const shared_block* read_block() const noexcept { return input_.block(); }
    [[nodiscard]] std::uint32_t frame_max() const noexcept { return limits_.frame_max; }
    [[nodiscard]] std::uint16_t channel_max() const noexcept { return channel_max_; }
    [[nodiscard]] std::uint16_t heartbeat() const noexcept { return heartbeat_seconds_; }
    [[nodiscard]] bool is_blocked() const noexcept { return blocked_; }
    /// Whether a confirmation came since this was asked last: publishes that waited for room may go on.
    [[nodiscard]] bool take_has_confirmed() noexcept { return std::exchange(has_confirmed_, false); }
    [[nodiscard]] const client_config& config() const noexcept { return config_; }
    [[nodiscard]] class deadlines& deadlines() noexcept { return deadlines_; }
    [[nodiscard]] output_buffer& output() noexcept { return output_; }
    [[nodiscard]] const output_buffer& output() const noexcept { return output_; }
    /// Frames were put into the output directly.
    void note_output() noexcept { sent_since_beat_ = true; }
    /// What a channel was sent makes no sense to the layer above: ends the connection.
    void refuse(protocol_errc e, std::string text, wire::method_number cause, std::uint16_t channel)
    {
        violation(e, std::move(text), cause, channel);
    }

    /// Sends the protocol header and starts the handshake's deadline.
    void start(instant now);

    // Input.
    [[nodiscard]] read_buffer::space prepare();
    void received(std::size_t n) noexcept;
    /// Nothing more will come: end of stream, or a socket's error.
    void input_ended(std::error_code why, std::string_view what);
    /// The next thing that happened, or null when more bytes are needed.
    [[nodiscard]] const event* next_event();
    /// The same, but only if it is a delivery that lies whole in the read block and nothing has to be told
    /// before it: a short way for the most common event.
    [[nodiscard]] const event* next_delivery()
    {
        return state_ == state::open && (take_same_delivery() || take_delivery() == short_way::taken)
                   ? &event_
                   : nullptr;
    }

    // Time.
    [[nodiscard]] instant next_deadline() const noexcept { return deadlines_.next(); }
    /// `input_paused` tells that silence is not the peer's fault: we don't read.
    void tick(instant now, bool input_paused);

    // Requests on a channel. The answer ends the operation; its deadline does too. `now` is read only
    // when there is a deadline.
    void open_channel(client_channel& channel, operation& op, instant deadline);
    template <wire::method Request>
    void request(client_channel& channel, const Request& m, wire::method_number answer, operation* op,
                 instant deadline);
    /// The same with the frame already encoded for this channel.
    void request(client_channel& channel, std::string_view frame, wire::method_number method,
                 wire::method_number answer, operation* op, instant deadline, bool no_ack = false);
    /// A method that has no answer.
    template <wire::method Method>
    void send(client_channel& channel, const Method& m);
    void send(client_channel& channel, std::string_view frame);
    void close_channel(client_channel& channel, operation* op, instant deadline);
    /// The channel's owner goes away: closes it if it is open and forgets it.
    void detach_channel(client_channel& channel);
    /// Nobody waits for the operation any more. Its answer, when it comes, is undone where it must be
    /// (a consumer cancelled, a message requeued).
    void abandon(client_channel* channel, operation& op) noexcept;

    // Settling deliveries: collected, and written by flush_settlements().
    bool settle(client_channel& channel, std::uint64_t tag, settlement how);
    std::size_t settle_up_to(client_channel& channel, std::uint64_t tag, settlement how);
    void flush_settlements();

    // The connection.
    void update_secret(std::string_view secret, std::string_view why, operation& op, instant deadline);
    /// Starts our close handshake; `closed` follows, at the deadline at the latest.
    void close(reply_code code, std::string_view text, instant deadline);

private:
    struct slot {
        client_channel* channel = nullptr; // null with draining: its owner left, close-ok is due
        bool draining = false;
        bool lingering = false; // the server closed it, and may have sent more behind that, as RabbitMQ does
    };
    class timer final : public deadline_node {
    public:
        using action = void (client::*)() noexcept;
        timer(client& owner, action what) noexcept : owner_(owner), what_(what) {}
        void expired() noexcept override { (owner_.*what_)(); }

    private:
        client& owner_;
        action what_;
    };

    // Defined in client_input.hpp, client_handshake.hpp and client_output.hpp.
    enum class short_way : std::uint8_t { taken, incomplete, other };
    short_way take_delivery();
    short_way wait_for(std::size_t size) noexcept;
    bool take_same_delivery() noexcept;
    bool handle_frame(const wire::frame_view& frame);
    bool handle_method(std::uint16_t channel, std::string_view payload);
    bool handle_handshake(wire::method_number id, wire::reader& in);
    bool on_start(wire::reader& in);
    bool on_secure(wire::reader& in);
    bool on_tune(wire::reader& in);
    bool on_open_ok(wire::reader& in);
    bool handle_connection_method(wire::method_number id, wire::reader& in);
    bool handle_channel_method(client_channel& channel, wire::method_number id, wire::reader& in);
    bool handle_answer(client_channel& channel, wire::method_number id, wire::reader& in);
    bool handle_content_method(client_channel& channel, wire::method_number id, wire::reader& in);
    bool handle_confirm(client_channel& channel, wire::method_number id, wire::reader& in);
    bool on_channel_close(client_channel& channel, wire::reader& in);
    bool on_channel_closed(std::uint16_t number, client_channel& channel, const failure& why);
    bool step_content(client_channel& channel, content_assembly::step step);
    bool complete_content(client_channel& channel);
    void count_held(client_channel& channel) noexcept;
    void drop_content(client_channel& channel) noexcept;
    bool emit(event::kind what, client_channel* channel = nullptr) noexcept;
    bool violation(protocol_errc e, std::string text, wire::method_number cause = {},
                   std::uint16_t channel = 0);
    bool bad_arguments(const wire::reader& in, wire::method_number id, std::uint16_t channel);
    bool end(failure why);
    void arm_from_next_tick();
    void fail_waiters(const failure& why);
    void leave_read_block();

    template <wire::method Method>
    void write(std::uint16_t channel, const Method& m);
    void flush_settlements(client_channel& channel);
    void note_settlements(client_channel& channel);
    [[nodiscard]] std::uint16_t free_number();
    [[nodiscard]] slot* slot_of(std::uint16_t number) noexcept
    {
        return number < slots_.size() ? &slots_[number] : nullptr;
    }
    void connection_timed_out() noexcept;
    void beat() noexcept;

    client_config config_;
    wire::limits limits_;
    state state_ = state::idle;
    failure reason_;
    bool closed_reported_ = false;
    bool is_garbled_ = false;
    bool has_confirmed_ = false;
    bool counts_from_tick_ = false;
    bool blocked_ = false;
    bool sent_since_beat_ = false;
    bool received_since_beat_ = false;
    bool input_paused_ = false;
    std::uint8_t silent_beats_ = 0;
    int challenges_ = 0;
    std::uint16_t channel_max_ = 0;
    std::uint16_t heartbeat_seconds_ = 0;
    std::uint16_t next_number_ = 1;
    std::size_t handshake_bytes_ = 0;
    std::size_t needed_ = wire::frame_header_size;
    std::size_t held_bytes_ = 0; // of half-received messages
    instant now_;

    read_buffer input_;
    output_buffer output_;
    class deadlines deadlines_;
    timer connection_deadline_{*this, &client::connection_timed_out};
    timer heartbeat_{*this, &client::beat};
    table server_properties_;
    pod_vector<slot> slots_;
    pod_vector<client_channel*> in_place_; // channels whose unfinished message lies in the read block
    pod_vector<client_channel*> unflushed_;
    ring_queue<operation*> connection_requests_; // update-secret, in order
    delivery_shape shape_;
    std::uint64_t last_start_ = 0;           // of the last delivery taken the short way: type, channel, size
    client_channel* last_channel_ = nullptr; // and its channel, while that has its number
    event event_;
    std::string event_text_;
};

} // namespace leveret::engine

#include "leveret/engine/client_deliveries.hpp" // IWYU pragma: export
#include "leveret/engine/client_handshake.hpp" // IWYU pragma: export
#include "leveret/engine/client_input.hpp"     // IWYU pragma: export
#include "leveret/engine/client_output.hpp"    // IWYU pragma: export
