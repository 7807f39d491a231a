#pragma once

#include "leveret/core/duration.hpp"
#include "leveret/core/errc.hpp"
#include "leveret/core/payload.hpp"
#include "leveret/core/pod_vector.hpp"
#include "leveret/core/reply_code.hpp"
#include "leveret/core/table.hpp"
#include "leveret/engine/output_buffer.hpp"
#include "leveret/engine/publish_shape.hpp"
#include "leveret/engine/read_buffer.hpp"
#include "leveret/engine/server_channel.hpp"
#include "leveret/engine/server_config.hpp"
#include "leveret/wire/frame.hpp"
#include "leveret/wire/method.hpp"

#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace leveret::engine {

/// What a server connection tells the layer above. Views are valid until the next call into the connection.
struct server_event {
    server_event() = default;
    enum class kind : std::uint8_t {
        login,           ///< connection.start-ok: `mechanism`, `text` is the response. Answer it.
        opening,         ///< connection.open: `text` is the virtual host. Answer it.
        channel_opening, ///< channel.open: `number`. Answer with accept_channel, or close.
        channel_closing, ///< channel.close: what it held is to be returned. Answer with finish_channel.
        publish,         ///< basic.publish with its whole message
        too_large, ///< a content header that announces more than the limit: `size`. Close the channel.
        method,    ///< any other method of a channel, well formed: see as<Method>()
        closed,    ///< the connection ends: see reason(). The last event.
    };
    kind what = kind::closed;
    std::uint16_t number = 0;
    server_channel* channel = nullptr;
    wire::method_number method;
    std::string_view arguments;
    // Of publish.
    std::string_view exchange;
    std::string_view routing_key;
    bool mandatory = false;
    bool immediate = false;
    wire::properties_view properties;
    std::string_view body;
    payload whole; ///< the body, if it came in pieces; else it lies in the read block, to be copied
    std::uint64_t size = 0;
    // Of login and opening.
    std::string_view mechanism;
    std::string_view text;

    /// The method's arguments, which were checked.
    template <wire::method Method>
    [[nodiscard]] Method as() const noexcept
    {
        wire::reader in(arguments);
        return wire::decode<Method>(in);
    }
};

/// The server's end of an AMQP 0-9-1 connection without any I/O: bytes and the time come in, bytes and events
/// come out. What clients do wrong is answered here, in RabbitMQ's codes and words; what they ask for in the
/// layer above.
///
///     header --AMQP 0 0 9 1--> starting --start-ok--> authenticating --accept_login--> tuning
///     authenticating --refuse_login--> refusing --its deadline--> closing, or closed
///     tuning --tune-ok--> opening --open--> entering --accept_open--> open
///     any --violation, close()--> closing --close-ok, deadline--> closed
///     any --close from the client, end of input, silence--> closed
///
/// Its owner writes `output()`, fills `prepare()`/`received()`, pulls `next_event()` until it gives nothing, and
/// calls `tick()` at `next_deadline()`. Not thread-safe.
class server_connection {
public:
    enum class state : std::uint8_t {
        header,
        starting,
        authenticating,
        refusing,
        tuning,
        opening,
        entering,
        open,
        closing,
        closed,
    };

    explicit server_connection(const server_config& config, instant now)
        : config_(config), now_(now)
    {
        limits_ = config.limits;
        limits_.frame_max = before_tune;
        deadline_ = now + config.handshake_timeout;
    }
    server_connection(const server_connection&) = delete;
    server_connection& operator=(const server_connection&) = delete;
    ~server_connection() { forget_channels(); }

    /// What clients may announce that changes what a server does.
    static constexpr std::string_view known_capabilities[] = {
        "authentication_failure_close", "basic.nack",       "connection.blocked", "consumer_cancel_notify",
        "exchange_exchange_bindings",   "per_consumer_qos", "publisher_confirms"};

    [[nodiscard]] state current_state() const noexcept { return state_; }
    [[nodiscard]] bool is_open() const noexcept { return state_ == state::open; }
    [[nodiscard]] bool is_closed() const noexcept { return state_ == state::closed; }
    /// Why it ended: a text for people. Empty while it has not, or if the client closed it well.
    [[nodiscard]] const std::string& reason() const noexcept { return reason_; }
    /// Whether the client announced this in its capabilities: one of those that a server has use for.
    [[nodiscard]] bool client_can(std::string_view capability) const noexcept
    {
        for (std::size_t i = 0; i < std::size(known_capabilities); ++i)
            if (known_capabilities[i] == capability)
                return (capabilities_ >> i & 1U) != 0;
        return false;
    }
    [[nodiscard]] std::uint32_t frame_max() const noexcept { return limits_.frame_max; }
    [[nodiscard]] std::uint16_t channel_max() const noexcept { return channel_max_; }
    [[nodiscard]] std::uint16_t heartbeat() const noexcept { return heartbeat_seconds_; }
    [[nodiscard]] output_buffer& output() noexcept { return output_; }
    [[nodiscard]] const output_buffer& output() const noexcept { return output_; }
    /// Frames were put into the output directly.
    void note_output() noexcept { sent_since_beat_ = true; }

    // Input.
    [[nodiscard]] read_buffer::space prepare();
    void received(std::size_t n) noexcept;
    /// Gives back what input and output keep for more, but for what is in use. Not while something is read into
    /// the space that `prepare` gave.
    void release_spare() noexcept;
    /// Whether bytes are here that were not looked at.
    [[nodiscard]] bool has_input() const noexcept { return !input_.unread().empty(); }
    /// Nothing more will come: end of stream, or a socket's error.
    void input_ended(std::string_view why);
    /// The next thing that happened, or null when more bytes or an answer are needed.
    [[nodiscard]] const server_event* next_event();

    // Time.
    /// What is said from here on has its deadlines from this moment.
    void tell_time(instant now) noexcept { now_ = now; }
    [[nodiscard]] instant next_deadline() const noexcept
    {
        return deadline_ < beat_ ? deadline_ : beat_;
    }
    /// `input_paused` tells that silence is not the peer's fault: we don't read.
    void tick(instant now, bool input_paused);

    // Answers to events.
    /// Before any input: EXTERNAL is one of the mechanisms too, as the client has shown by other means who it is.
    void offer_external() noexcept { offers_external_ = true; }
    /// The login is fine: goes on with tune.
    void accept_login();
    /// It is not. After a delay a client that can take it is told with 403 and `text`; others are cut off.
    void refuse_login(std::string_view text);
    void accept_open();
    /// The channel is open, and the engine's until channel_closing was answered, close_channel or `closed`.
    void accept_channel(std::uint16_t number, server_channel& channel);
    void finish_channel(server_channel& channel);

    /// Sends a method.
    template <wire::method Method>
    void send(std::uint16_t number, const Method& m);
    /// Closes a channel for what the client did; what it sent before it knows is ignored.
    void close_channel(server_channel& channel, reply_code code, std::string_view text,
                       wire::method_number cause);
    /// Closes the connection: `closed` follows at once, and its last words are in the output.
    void close(reply_code code, std::string_view text, wire::method_number cause = {});

private:
    /// Frames before tune-ok, as RabbitMQ has it.
    static constexpr std::uint32_t before_tune = 8192;

    enum class use : std::uint8_t { free, open, closing };
    struct slot {
        server_channel* channel = nullptr;
        use is = use::free; // closing: our close is under way
    };
    enum class short_way : std::uint8_t { taken, incomplete, other };

    // Defined in server_input.hpp, server_handshake.hpp, server_publish.hpp and server_output.hpp.
    bool take_header();
    [[nodiscard]] bool take_same_publish() noexcept;
    short_way take_publish();
    short_way wait_for(std::size_t size) noexcept;
    [[nodiscard]] bool is_judged(protocol_errc e);
    bool handle_frame(const wire::frame_view& frame);
    bool handle_handshake(const wire::frame_view& frame);
    bool on_start_ok(wire::reader& in);
    bool on_tune_ok(wire::reader& in);
    bool on_open(wire::reader& in);
    bool handle_connection_method(wire::method_number id, wire::reader& in);
    bool handle_channel_frame(const wire::frame_view& frame);
    bool handle_unopened(const wire::frame_view& frame, wire::method_number id, wire::reader& in);
    bool handle_method(server_channel& channel, wire::method_number id, wire::reader& in);
    bool start_content(server_channel& channel, wire::reader& in);
    bool handle_content(server_channel& channel, const wire::frame_view& frame);
    bool bad_content(server_channel& channel, std::string_view why);
    bool complete_content(server_channel& channel);
    template <wire::method Method>
    [[nodiscard]] bool is_well_formed(wire::reader in, Method& m);
    bool unexpected(const wire::frame_view& frame);
    [[nodiscard]] static bool has_secret(wire::method_number id) noexcept;
    [[nodiscard]] static std::string octets_of(std::string_view payload);
    bool violation(reply_code code, std::string_view text, wire::method_number cause = {});
    bool emit(server_event::kind what, server_channel* channel = nullptr) noexcept;
    void end(std::string_view why);
    void count_held(server_channel& channel) noexcept;
    void let_go(server_channel& channel) noexcept;
    void forget_channels() noexcept;
    void leave_read_block();
    void out_of_time();
    void beat();
    [[nodiscard]] slot* slot_of(std::uint16_t number) noexcept
    {
        return number < slots_.size() ? &slots_[number] : nullptr;
    }

    const server_config& config_;
    wire::limits limits_;
    state state_ = state::header;
    bool has_ended_ = false; // `closed` is to be told
    bool ended_told_ = false;
    bool is_garbled_ = false; // nothing can be read behind a broken frame
    bool refuses_with_close_ = false;
    bool sent_since_beat_ = false;
    bool received_since_beat_ = false;
    bool input_paused_ = false;
    std::uint8_t silent_beats_ = 0;
    std::uint16_t channel_max_ = 0;
    std::uint16_t heartbeat_seconds_ = 0;
    std::size_t open_channels_ = 0;
    std::size_t handshake_bytes_ = 0; // that were used up
    std::size_t needed_ = wire::frame_header_size;
    std::size_t held_bytes_ = 0; // of half-received messages
    instant now_;
    bool offers_external_ = false;
    instant deadline_ = instant::never(); // of the handshake, a refusal, or the answer to our close
    instant beat_ = instant::never();

    read_buffer input_;
    output_buffer output_;
    pod_vector<slot> slots_;
    pod_vector<server_channel*> in_place_; // whose unfinished message lies in the read block
    publish_shape shape_;
    server_channel* shape_of_ = nullptr; // the channel of the message before, while it is open
    std::uint32_t capabilities_ = 0; ///< of the client, a bit for each of known_capabilities
    std::string reason_;
    server_event event_;
};

} // namespace leveret::engine

#include "leveret/engine/server_handshake.hpp" // IWYU pragma: export
#include "leveret/engine/server_input.hpp"     // IWYU pragma: export
#include "leveret/engine/server_output.hpp"    // IWYU pragma: export
#include "leveret/engine/server_publish.hpp"   // IWYU pragma: export
