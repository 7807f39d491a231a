// What engine::server_connection does with bytes from the client. Included by server.hpp.
#pragma once

#include "leveret/core/utf8.hpp"
#include "leveret/engine/octets_text.hpp"
#include "leveret/engine/server.hpp"
#include "leveret/wire/byte_order.hpp"

#include <cstddef>
#include <string>
#include <string_view>

namespace leveret::engine {

namespace detail {

/// What clients ask of a channel beside opening, closing and publishing.
using client_methods = wire::method_list<
    wire::basic::ack, wire::basic::nack, wire::basic::reject, wire::basic::get, wire::basic::qos,
    wire::basic::consume, wire::basic::cancel, wire::basic::recover, wire::basic::recover_async,
    wire::queue::declare, wire::queue::bind, wire::queue::unbind, wire::queue::purge,
    wire::queue::delete_, wire::exchange::declare, wire::exchange::delete_, wire::exchange::bind,
    wire::exchange::unbind, wire::tx::select, wire::tx::commit, wire::tx::rollback,
    wire::confirm::select, wire::channel::flow, wire::access::request>;

/// Looks at what decoding alone does not: tables down to their last entry, and that short texts are UTF-8.
struct argument_checker {
    std::uint32_t table_depth;
    bool tables_are_fine = true;
    bool texts_are_fine = true;
    void operator()(std::string_view, const std::string_view& v) noexcept
    {
        texts_are_fine = texts_are_fine && is_utf8(v);
    }
    void operator()(std::string_view, const wire::table_view& v) noexcept
    {
        tables_are_fine =
            tables_are_fine && wire::check_table(v, table_depth) == protocol_errc::none;
    }
    void operator()(std::string_view, const auto&) noexcept {}
};

} // namespace detail

inline read_buffer::space server_connection::prepare()
{
    return input_.prepare(needed_, [this] { leave_read_block(); });
}

inline void server_connection::received(std::size_t n) noexcept
{
    input_.commit(n);
    received_since_beat_ = true;
}

inline void server_connection::release_spare() noexcept
{
    output_.release_spare();
    if (in_place_.empty())
        input_.release_spare();
}

inline void server_connection::leave_read_block()
{
    for (server_channel* channel : in_place_) {
        channel->assembly_.detach();
        count_held(*channel);
    }
    in_place_.clear();
}

inline void server_connection::input_ended(std::string_view why)
{
    if (state_ == state::closed)
        return;
    state_ = state::closed;
    end(why);
}

inline const server_event* server_connection::next_event()
{
    if (!event_.whole.empty())
        event_.whole = payload();
    for (;;) {
        if (has_ended_ && !ended_told_) {
            ended_told_ = true;
            emit(server_event::kind::closed);
            return &event_;
        }
        switch (state_) {
        case state::open: {
            if (take_same_publish())
                return &event_;
            const short_way how = take_publish();
            if (how != short_way::other)
                return how == short_way::taken ? &event_ : nullptr;
            break;
        }
        case state::authenticating: // the owner's turn
        case state::entering: return nullptr;
        case state::header:
            if (!take_header() && !has_ended_)
                return nullptr;
            continue;
        default: break;
        }
        if (is_garbled_ || state_ == state::closed || state_ == state::refusing) {
            input_.consume(input_.unread().size()); // nobody looks at it any more
            return nullptr;
        }
        // RabbitMQ lets payloads have the eight bytes of what is around them too, for clients that forget these.
        const wire::frame_view frame =
            wire::parse_frame(input_.unread(), limits_.frame_max + wire::frame_overhead);
        if (frame.error != protocol_errc::none) {
            if (!is_judged(frame.error))
                return nullptr;
            continue;
        }
        const std::size_t whole = frame.size != 0 ? frame.size : frame.needed;
        if (state_ < state::tuning && handshake_bytes_ + whole > config_.handshake_bytes) {
            is_garbled_ = true;
            violation(reply_code::frame_error, "more than " +
                                                   std::to_string(config_.handshake_bytes) +
                                                   " bytes before the client has logged in");
            continue;
        }
        if (frame.size == 0) {
            needed_ = frame.needed;
            return nullptr;
        }
        needed_ = wire::frame_header_size;
        input_.consume(frame.size);
        handshake_bytes_ += frame.size;
        if (handle_frame(frame))
            return &event_;
    }
}

/// A frame is broken. What is of an unknown type is told with its octets, as RabbitMQ does: false until they are
/// here. Nothing can be read behind it, not even close-ok.
inline bool server_connection::is_judged(protocol_errc e)
{
    const std::string_view in = input_.unread();
    if (in.size() < wire::frame_header_size) {
        needed_ = wire::frame_header_size;
        return false;
    }
    const std::size_t size = wire::load_be<std::uint32_t>(in.data() + 3);
    if (size > limits_.frame_max)
        e = protocol_errc::frame_too_large;
    const bool is_known = e == protocol_errc::frame_too_large || e == protocol_errc::frame_end;
    if (!is_known && in.size() < size + wire::frame_overhead) {
        needed_ = size + wire::frame_overhead;
        return false;
    }
    is_garbled_ = true;
    if (state_ == state::closing)
        return true;
    std::string text =
        "type " + std::to_string(static_cast<unsigned char>(in[0])) + ", all octets = ";
    const std::string_view payload = in.substr(wire::frame_header_size, size);
    if (e == protocol_errc::frame_too_large)
        text += octets_text({}) + ": {frame_too_large," + std::to_string(size) + "," +
                std::to_string(limits_.frame_max - wire::frame_overhead) + "}";
    else if (e == protocol_errc::frame_end)
        text += octets_of(payload) + ": {invalid_frame_end_marker," +
                std::to_string(static_cast<unsigned char>(in[wire::frame_header_size + size])) +
                "}";
    else
        text += octets_of(payload) + ": unknown_frame";
    violation(reply_code::frame_error, text);
    return true;
}

inline bool server_connection::has_secret(wire::method_number id) noexcept
{
    return id == wire::connection::start_ok::id || id == wire::connection::secure_ok::id ||
           id == wire::connection::update_secret::id;
}

/// For the client and the log: what a frame has, but no passwords.
inline std::string server_connection::octets_of(std::string_view payload)
{
    wire::reader in(payload);
    const std::uint16_t class_id = in.u16();
    const wire::method_number id{class_id, in.u16()};
    return in.ok() && has_secret(id) ? size_text(payload) : octets_text(payload);
}

inline bool server_connection::unexpected(const wire::frame_view& frame)
{
    return violation(reply_code::unexpected_frame,
                     "type " + std::to_string(static_cast<unsigned>(frame.type)) +
                         ", all octets = " + octets_of(frame.payload));
}

inline bool server_connection::handle_frame(const wire::frame_view& frame)
{
    if (state_ == state::closing) { // only the end of the connection matters now
        if (frame.type != wire::frame_type::method || frame.channel != 0 ||
            frame.payload.size() < 4)
            return false;
        wire::reader in(frame.payload);
        const std::uint16_t class_id = in.u16();
        return handle_connection_method({class_id, in.u16()}, in);
    }
    if (state_ != state::open)
        return handle_handshake(frame);
    if (frame.type == wire::frame_type::heartbeat) {
        if (frame.channel != 0)
            return unexpected(frame);
        if (!frame.payload.empty())
            return violation(reply_code::frame_error,
                             "type 8, all octets = " + octets_of(frame.payload) +
                                 ": unknown_frame");
        return false;
    }
    if (frame.channel != 0)
        return handle_channel_frame(frame);
    if (frame.type != wire::frame_type::method)
        return unexpected(frame);
    wire::reader in(frame.payload);
    const std::uint16_t class_id = in.u16();
    const wire::method_number id{class_id, in.u16()};
    if (!in.ok())
        return violation(reply_code::frame_error, "cannot decode " + octets_of(frame.payload));
    return handle_connection_method(id, in);
}

inline bool server_connection::handle_connection_method(wire::method_number id, wire::reader& in)
{
    if (id == wire::connection::close::id) {
        const auto close = wire::decode<wire::connection::close>(in);
        send(0, wire::connection::close_ok{}); // whatever it says
        if (state_ != state::closing && in.ok() && close.reply_code != 200)
            reason_ = "the client closed it: " + std::to_string(close.reply_code) + " " +
                      std::string(close.reply_text);
        state_ = state::closed;
        end({});
        return false;
    }
    if (id == wire::connection::close_ok::id && state_ == state::closing) {
        state_ = state::closed;
        return false;
    }
    if (state_ == state::closing)
        return false;
    if (id == wire::connection::update_secret::id) {
        wire::connection::update_secret m; // of tokens that expire; passwords don't
        if (is_well_formed(in, m))
            send(0, wire::connection::update_secret_ok{});
        return false;
    }
    // RabbitMQ has one answer, 504, for both.
    return id.class_id == wire::connection::open::id.class_id
               ? violation(reply_code::channel_error,
                           "unexpected method in connection state running", id)
               : violation(reply_code::command_invalid, "method of a channel on channel 0", id);
}

inline bool server_connection::handle_channel_frame(const wire::frame_view& frame)
{
    slot* s = slot_of(frame.channel);
    if (frame.type != wire::frame_type::method) {
        if (s != nullptr && s->is == use::closing)
            return false;
        if (s == nullptr || s->is == use::free)
            return violation(reply_code::channel_error, "expected 'channel.open'");
        return handle_content(*s->channel, frame);
    }
    wire::reader in(frame.payload);
    const std::uint16_t class_id = in.u16();
    const wire::method_number id{class_id, in.u16()};
    if (!in.ok())
        return violation(reply_code::frame_error, "cannot decode " + octets_of(frame.payload));
    if (s == nullptr || s->is != use::open)
        return handle_unopened(frame, id, in);
    server_channel& channel = *s->channel;
    if (!channel.assembly_.is_idle())
        return bad_content(channel, {});
    return handle_method(channel, id, in);
}

/// On a number that is not open, or that we closed.
inline bool server_connection::handle_unopened(const wire::frame_view& frame,
                                               wire::method_number id, wire::reader& in)
{
    slot* s = slot_of(frame.channel);
    if (s != nullptr && s->is == use::closing) {
        if (id == wire::channel::close_ok::id)
            *s = slot{};
        else if (id == wire::channel::close::id) // both at once: ours still wants its answer
            send(frame.channel, wire::channel::close_ok{});
        else if (id == wire::channel::open::id)
            return violation(reply_code::channel_error, "second 'channel.open' seen", id);
        return false;
    }
    if (id != wire::channel::open::id)
        return violation(
            id.class_id == wire::connection::open::id.class_id ? reply_code::command_invalid
                                                               : reply_code::channel_error,
            id.class_id == wire::connection::open::id.class_id ? "unimplemented method"
                                                               : "expected 'channel.open'",
            id);
    wire::channel::open open;
    if (!is_well_formed(in, open))
        return false;
    if (channel_max_ != 0 && (frame.channel > channel_max_ || open_channels_ >= channel_max_))
        return violation(reply_code::channel_error,
                         "channel " + std::to_string(frame.channel) +
                             " is above the negotiated channel_max (" +
                             std::to_string(channel_max_) + ")",
                         id);
    while (slots_.size() <= frame.channel)
        slots_.push_back(slot{});
    event_.number = frame.channel;
    return emit(server_event::kind::channel_opening);
}

inline bool server_connection::handle_method(server_channel& channel, wire::method_number id,
                                             wire::reader& in)
{
    if (id == wire::basic::publish::id)
        return start_content(channel, in);
    event_.arguments = {in.position(), in.remaining()};
    bool fine = false;
    const bool known = detail::client_methods::visit(id, [&]<class Method>() {
        Method m;
        fine = is_well_formed(in, m);
    });
    if (known) {
        event_.method = id;
        return fine && emit(server_event::kind::method, &channel);
    }
    if (id == wire::channel::close::id) {
        wire::channel::close m;
        return is_well_formed(in, m) && emit(server_event::kind::channel_closing, &channel);
    }
    if (id == wire::channel::open::id)
        return violation(reply_code::channel_error, "second 'channel.open' seen", id);
    return violation(reply_code::command_invalid, "unimplemented method", id);
}

template <wire::method Method>
bool server_connection::is_well_formed(wire::reader in, Method& m)
{
    const std::string_view arguments(in.position(), in.remaining());
    m = wire::decode<Method>(in);
    detail::argument_checker checker{limits_.table_depth};
    if (in.ok())
        Method::fields(m, checker);
    if (!in.ok() || !checker.tables_are_fine) {
        violation(reply_code::frame_error,
                  "cannot decode " + (has_secret(Method::id) ? size_text(arguments) : octets_text(arguments)), Method::id);
        return false;
    }
    if (!checker.texts_are_fine) {
        violation(reply_code::frame_error, "Malformed UTF-8 in shortstr");
        return false;
    }
    return true;
}

inline bool server_connection::emit(server_event::kind what, server_channel* channel) noexcept
{
    event_.what = what;
    event_.channel = channel;
    return true;
}

/// The client broke the rules of the connection.
inline bool server_connection::violation(reply_code code, std::string_view text,
                                         wire::method_number cause)
{
    close(code, std::string(name(code)) + " - " + std::string(text), cause);
    return false;
}

} // namespace leveret::engine
