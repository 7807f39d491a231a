// What engine::client does with bytes from the server. Included by client.hpp.
#pragma once

#include "leveret/engine/client.hpp"
#include "leveret/engine/fingerprint.hpp"
#include "leveret/wire/byte_order.hpp"

#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace leveret::engine {

namespace detail {

/// Answers to requests on a channel that are known by their id alone.
using channel_answers = wire::method_list<
    wire::channel::open_ok, wire::channel::flow_ok, wire::exchange::declare_ok,
    wire::exchange::delete_ok, wire::exchange::bind_ok, wire::exchange::unbind_ok,
    wire::queue::declare_ok, wire::queue::bind_ok, wire::queue::purge_ok, wire::queue::delete_ok,
    wire::queue::unbind_ok, wire::basic::qos_ok, wire::basic::consume_ok, wire::basic::cancel_ok,
    wire::basic::get_empty, wire::basic::recover_ok, wire::tx::select_ok, wire::tx::commit_ok,
    wire::tx::rollback_ok, wire::confirm::select_ok>;

} // namespace detail

inline read_buffer::space client::prepare()
{
    return input_.prepare(needed_, [this] { leave_read_block(); });
}

inline void client::received(std::size_t n) noexcept
{
    input_.commit(n);
    received_since_beat_ = true;
    if (state_ < state::open)
        handshake_bytes_ += n;
}

inline void client::leave_read_block()
{
    for (client_channel* channel : in_place_) {
        channel->assembly_.detach();
        count_held(*channel);
    }
    in_place_.clear();
}

inline const event* client::next_event()
{
    for (;;) {
        if (reason_ && !closed_reported_) {
            closed_reported_ = true;
            emit(event::kind::closed);
            return &event_;
        }
        if (state_ == state::open) {
            const short_way how = take_delivery();
            if (how != short_way::other)
                return how == short_way::taken ? &event_ : nullptr;
        }
        if (state_ == state::closed || state_ == state::idle || is_garbled_) {
            input_.consume(input_.unread().size()); // nobody looks at it any more
            return nullptr;
        }
        const wire::frame_view frame = wire::parse_frame(input_.unread(), limits_.frame_max);
        if (frame.size == 0) {
            if (frame.error == protocol_errc::none) {
                needed_ = frame.needed;
                if (state_ < state::open && handshake_bytes_ > client_config::max_handshake_bytes)
                    violation(protocol_errc::handshake_size,
                              "the server sent " + std::to_string(handshake_bytes_) +
                                  " bytes before the connection was open");
                if (reason_ && !closed_reported_)
                    continue;
                return nullptr;
            }
            is_garbled_ = true; // nothing can be read behind a broken frame, not even close-ok
            const bool first = state_ == state::starting;
            violation(first ? protocol_errc::protocol_header : frame.error,
                      first ? "the server does not speak AMQP 0-9-1"
                            : "from the server: " + std::string(describe(frame.error)));
            continue;
        }
        input_.consume(frame.size);
        if (handle_frame(frame))
            return &event_;
    }
}

inline bool client::handle_frame(const wire::frame_view& frame)
{
    if (frame.type == wire::frame_type::method)
        return handle_method(frame.channel, frame.payload);
    if (state_ == state::closing)
        return false;
    if (frame.type == wire::frame_type::heartbeat) {
        if (frame.channel != 0 || !frame.payload.empty())
            return violation(protocol_errc::unexpected_frame, "a heartbeat on a channel or with content",
                             {}, frame.channel);
        return false;
    }
    slot* s = slot_of(frame.channel);
    if (frame.channel == 0 || s == nullptr || (s->channel == nullptr && !s->draining && !s->lingering))
        return violation(protocol_errc::channel_number,
                         "content from the server on a channel that is not open", {}, frame.channel);
    if (s->channel == nullptr || s->channel->state_ != channel_state::open)
        return false; // our close is under way: specification, channel.close
    client_channel& channel = *s->channel;
    const bool was_in_place = channel.assembly_.is_in_place();
    const auto step = frame.type == wire::frame_type::header
                          ? channel.assembly_.header(frame.payload, limits_)
                          : channel.assembly_.body(frame.payload);
    if (was_in_place && !channel.assembly_.is_in_place())
        in_place_.erase(&channel);
    count_held(channel);
    if (held_bytes_ > limits_.assembly_bytes)
        return violation(protocol_errc::assembly_limit,
                         "unfinished messages from the server take more than " +
                             std::to_string(limits_.assembly_bytes) + " bytes",
                         {}, frame.channel);
    return step_content(channel, step);
}

/// Keeps the sum of what unfinished messages hold outside the read block.
inline void client::count_held(client_channel& channel) noexcept
{
    held_bytes_ += channel.assembly_.held() - channel.held_bytes_;
    channel.held_bytes_ = channel.assembly_.held();
}

inline void client::drop_content(client_channel& channel) noexcept
{
    in_place_.erase(&channel);
    channel.assembly_.drop();
    count_held(channel);
}

inline bool client::step_content(client_channel& channel, content_assembly::step step)
{
    switch (step) {
    case content_assembly::step::more: return false;
    case content_assembly::step::complete: return complete_content(channel);
    case content_assembly::step::error: break;
    }
    const protocol_errc e = channel.assembly_.error();
    return violation(e, "from the server: " + std::string(describe(e)), channel.assembly_.method(),
                     channel.number_);
}

inline bool client::handle_method(std::uint16_t number, std::string_view payload)
{
    wire::reader in(payload);
    const std::uint16_t class_id = in.u16();
    const wire::method_number id{class_id, in.u16()};
    if (!in.ok())
        return violation(protocol_errc::malformed_arguments, "a method frame of less than four bytes",
                         {}, number);
    if (state_ == state::closing) // only the end of the connection matters now
        return number == 0 && (id == wire::connection::close::id || id == wire::connection::close_ok::id)
                   ? handle_connection_method(id, in)
                   : false;
    if (number == 0)
        return state_ == state::open ? handle_connection_method(id, in) : handle_handshake(id, in);
    slot* s = slot_of(number);
    if (s != nullptr && s->channel != nullptr) {
        const bool is_late = s->lingering && id != wire::channel::open_ok::id && id != wire::channel::close::id;
        if (is_late && s->channel->state_ == channel_state::opening)
            return false; // for the channel that had this number before
        s->lingering = false;
        return handle_channel_method(*s->channel, id, in);
    }
    if (s != nullptr && s->lingering)
        return false;
    if (s != nullptr && s->draining) {
        if (id == wire::channel::close_ok::id)
            *s = slot{};
        else if (id == wire::channel::close::id)
            write(number, wire::channel::close_ok{});
        return false;
    }
    return violation(protocol_errc::channel_number,
                     "a method from the server on a channel that is not open", id, number);
}

inline bool client::handle_connection_method(wire::method_number id, wire::reader& in)
{
    if (id == wire::connection::close::id) {
        const auto close = wire::decode<wire::connection::close>(in);
        if (!in.ok())
            return bad_arguments(in, id, 0);
        write(0, wire::connection::close_ok{});
        deadlines_.disarm(connection_deadline_);
        end(failure::of_peer(close.reply_code, close.reply_text, {close.class_id, close.method_id}, 0));
        state_ = state::closed;
        return false; // next_event reports it
    }
    if (id == wire::connection::close_ok::id && state_ == state::closing) {
        state_ = state::closed;
        deadlines_.disarm(connection_deadline_);
        return false;
    }
    if (id == wire::connection::blocked::id) {
        const auto blocked = wire::decode<wire::connection::blocked>(in);
        if (!in.ok())
            return bad_arguments(in, id, 0);
        blocked_ = true;
        event_text_ = blocked.reason;
        return emit(event::kind::blocked);
    }
    if (id == wire::connection::unblocked::id && in.remaining() == 0) {
        blocked_ = false;
        return emit(event::kind::unblocked);
    }
    if (id == wire::connection::update_secret_ok::id && !connection_requests_.empty()) {
        if (operation* op = connection_requests_.pop_front()) {
            deadlines_.disarm(*op);
            op->succeed();
        }
        return false;
    }
    const bool known = !wire::all_methods::name(id).empty();
    return violation(known ? protocol_errc::unexpected_method : protocol_errc::unknown_method,
                     known ? "a method that a server must not send here"
                           : "a method that AMQP 0-9-1 does not have: " +
                                 std::to_string(id.class_id) + "." + std::to_string(id.method),
                     id);
}

inline bool client::handle_channel_method(client_channel& channel, wire::method_number id,
                                          wire::reader& in)
{
    if (channel.state_ == channel_state::closing) {
        if (id == wire::channel::close_ok::id)
            return on_channel_closed(channel.number_, channel, {});
        if (id == wire::channel::close::id) // crossed ours; close-ok is still due
            write(channel.number_, wire::channel::close_ok{});
        return false;
    }
    if (!channel.assembly_.is_idle() && id != wire::channel::close::id)
        return violation(protocol_errc::unexpected_frame, "a method in the middle of a message", id,
                         channel.number_);
    if (channel.state_ == channel_state::open &&
        (id == wire::basic::deliver::id || id == wire::basic::return_::id ||
         id == wire::basic::get_ok::id))
        return handle_content_method(channel, id, in);
    if (id == wire::basic::ack::id || id == wire::basic::nack::id)
        return handle_confirm(channel, id, in);
    if (id == wire::channel::close::id)
        return on_channel_close(channel, in);
    if (id == wire::basic::cancel::id) {
        const auto cancel = wire::decode<wire::basic::cancel>(in);
        if (!in.ok())
            return bad_arguments(in, id, channel.number_);
        event_text_ = cancel.consumer_tag;
        if (!cancel.no_wait) {
            wire::basic::cancel_ok ok;
            ok.consumer_tag = event_text_;
            write(channel.number_, ok);
        }
        return emit(event::kind::cancelled, &channel);
    }
    if (id == wire::channel::flow::id) {
        const auto flow = wire::decode<wire::channel::flow>(in);
        if (!in.ok())
            return bad_arguments(in, id, channel.number_);
        channel.flow_active_ = flow.active;
        wire::channel::flow_ok ok;
        ok.active = flow.active;
        write(channel.number_, ok);
        return emit(event::kind::flow, &channel);
    }
    return handle_answer(channel, id, in);
}

inline bool client::handle_answer(client_channel& channel, wire::method_number id, wire::reader& in)
{
    reply result;
    std::string_view tag;
    detail::channel_answers::visit(id, [&]<class Answer>() {
        const Answer m = wire::decode<Answer>(in);
        if constexpr (requires { m.queue; })
            result.name = m.queue;
        if constexpr (requires { m.consumer_tag; })
            result.name = tag = m.consumer_tag;
        if constexpr (requires { m.message_count; })
            result.message_count = m.message_count;
        if constexpr (requires { m.consumer_count; })
            result.consumer_count = m.consumer_count;
    });
    if (!in.ok())
        return bad_arguments(in, id, channel.number_);
    const std::size_t which = channel.find_request(
        id == wire::basic::get_empty::id ? wire::basic::get_ok::id : id, tag);
    if (which == channel.pending_.size()) {
        const bool known = !wire::all_methods::name(id).empty();
        return violation(known ? protocol_errc::unexpected_method : protocol_errc::unknown_method,
                         known ? "an answer that nobody waits for"
                               : "a method that AMQP 0-9-1 does not have: " +
                                     std::to_string(id.class_id) + "." + std::to_string(id.method),
                         id, channel.number_);
    }
    const auto request = channel.pending_.extract(which);
    if (id == wire::channel::open_ok::id)
        channel.state_ = channel_state::open;
    if (id == wire::basic::recover_ok::id)
        --channel.recovering_;
    // One that timed out but is not abandoned yet does not take its answer any more.
    if (request.op != nullptr && request.op->is_waiting()) {
        deadlines_.disarm(*request.op);
        request.op->result() = std::move(result);
        if (id == wire::basic::get_empty::id)
            request.op->result().name.clear();
        request.op->succeed();
        return false;
    }
    if (id != wire::basic::consume_ok::id && id != wire::basic::cancel_ok::id)
        return false;
    event_text_ = std::move(result.name);
    return emit(id == wire::basic::consume_ok::id ? event::kind::consuming_unasked
                                                  : event::kind::cancel_unasked,
                &channel);
}

inline bool client::handle_content_method(client_channel& channel, wire::method_number id,
                                          wire::reader& in)
{
    const std::string_view args(in.position(), in.remaining());
    if (id == wire::basic::deliver::id)
        static_cast<void>(wire::decode<wire::basic::deliver>(in));
    else if (id == wire::basic::return_::id)
        static_cast<void>(wire::decode<wire::basic::return_>(in));
    else if (channel.find_request(id) == channel.pending_.size())
        return violation(protocol_errc::unexpected_method, "a message that nobody asked for", id,
                         channel.number_);
    else
        static_cast<void>(wire::decode<wire::basic::get_ok>(in));
    if (!in.ok())
        return bad_arguments(in, id, channel.number_);
    channel.assembly_.start(id, args);
    in_place_.push_back(&channel);
    return false;
}

inline bool client::complete_content(client_channel& channel)
{
    const wire::method_number id = channel.assembly_.method();
    if (channel.assembly_.is_in_place()) {
        if (in_place_.back() == &channel)
            in_place_.pop_back();
        else
            in_place_.erase(&channel);
    }
    event_.message = channel.assembly_.take(input_.block());
    shape_.forget(); // "the delivery before" is this one now
    count_held(channel);
    event_.op = nullptr;
    wire::reader in(event_.message.args);
    if (id == wire::basic::return_::id) {
        const auto m = wire::decode<wire::basic::return_>(in);
        const fingerprint mark(m.exchange, m.routing_key, event_.message.body,
                               event_.message.properties.flags(), event_.message.properties.encoded());
        if (channel.publishes_.returned(mark, m.reply_code, m.reply_text)) {
            if (event_.message.block != input_.block())
                event_.message.block->drop_reference();
            return false;
        }
        return emit(event::kind::returned, &channel);
    }
    if (id == wire::basic::deliver::id) {
        static_cast<void>(in.short_string());
        event_.envelope = in.position();
        event_.delivery_tag = in.u64();
        event_.same_consumer = false;
        return emit(event::kind::delivery, &channel);
    }
    event_.delivery_tag = in.u64();
    const auto request = channel.pending_.extract(channel.find_request(id));
    if (request.op != nullptr)
        deadlines_.disarm(*request.op);
    event_.op = request.op != nullptr && request.op->is_waiting() ? request.op : nullptr;
    event_.no_ack = request.no_ack;
    return emit(event::kind::got, &channel);
}

inline bool client::handle_confirm(client_channel& channel, wire::method_number id, wire::reader& in)
{
    std::uint64_t number = 0;
    bool multiple = false;
    if (id == wire::basic::ack::id) {
        const auto ack = wire::decode<wire::basic::ack>(in);
        number = ack.delivery_tag;
        multiple = ack.multiple;
    } else {
        const auto nack = wire::decode<wire::basic::nack>(in);
        number = nack.delivery_tag;
        multiple = nack.multiple;
    }
    if (!in.ok())
        return bad_arguments(in, id, channel.number_);
    const auto outcome =
        id == wire::basic::ack::id ? publish_outcome::confirmed : publish_outcome::rejected;
    has_confirmed_ = true;
    if (channel.publishes_.resolve(number, multiple, outcome))
        return false;
    return violation(protocol_errc::unexpected_method,
                     "a confirmation of publish " + std::to_string(number) +
                         ", which is not outstanding",
                     id, channel.number_);
}

inline bool client::on_channel_close(client_channel& channel, wire::reader& in)
{
    const auto close = wire::decode<wire::channel::close>(in);
    if (!in.ok())
        return bad_arguments(in, close.id, channel.number_);
    write(channel.number_, wire::channel::close_ok{});
    const std::uint16_t number = channel.number_;
    const bool is_event = on_channel_closed(number, channel,
                                            failure::of_peer(close.reply_code, close.reply_text,
                                                             {close.class_id, close.method_id}, number));
    slots_[number].lingering = true;
    return is_event;
}

/// The channel is over: by the broker, with its reason, or because our close was answered.
inline bool client::on_channel_closed(std::uint16_t number, client_channel& channel,
                                      const failure& why)
{
    slots_[number] = slot{};
    last_channel_ = nullptr;
    if (why)
        channel.reason_ = why;
    channel.state_ = channel_state::closed;
    drop_content(channel);
    unflushed_.erase(&channel);
    channel.deliveries_.forget();
    channel.has_settlements_ = false;
    while (!channel.pending_.empty()) {
        const auto request = channel.pending_.pop_front();
        if (request.op == nullptr)
            continue;
        deadlines_.disarm(*request.op);
        if (request.answer == wire::channel::close_ok::id)
            request.op->succeed();
        else
            request.op->fail(channel.reason_);
    }
    return emit(event::kind::channel_closed, &channel);
}

inline void client::input_ended(std::error_code why, std::string_view what)
{
    if (state_ == state::closed)
        return;
    if (state_ == state::closing) { // who closes the socket instead of answering means the same
        state_ = state::closed;
        deadlines_.disarm(connection_deadline_);
        return;
    }
    std::string text(what);
    if (state_ == state::authenticating)
        text += "; during authentication this often means that the credentials are wrong";
    else if (state_ == state::opening)
        text += "; while opening the virtual host";
    end(failure::of_system(why, std::move(text)));
    state_ = state::closed;
}

inline bool client::emit(event::kind what, client_channel* channel) noexcept
{
    event_.what = what;
    event_.channel = channel;
    event_.text = event_text_;
    return true;
}

inline bool client::bad_arguments(const wire::reader& in, wire::method_number id,
                                  std::uint16_t channel)
{
    return violation(in.error(), "from the server: " + std::string(describe(in.error())), id, channel);
}

/// What the server sent can't be: tells it why, and ends the connection.
inline bool client::violation(protocol_errc e, std::string text, wire::method_number cause,
                              std::uint16_t channel)
{
    if (state_ == state::closing || state_ == state::closed)
        return false; // the server was told of another one, or of our close
    const bool was_open = state_ == state::open;
    failure why = failure::of_protocol(e, std::move(text), cause, channel);
    if (was_open) {
        // A hostile text could be long: reply-text has 255 bytes.
        const std::string said = why.text.substr(0, wire::short_string_max);
        wire::connection::close close;
        close.reply_code = static_cast<std::uint16_t>(reply_code_for(e));
        close.reply_text = said;
        close.class_id = cause.class_id;
        close.method_id = cause.method;
        write(0, close);
        state_ = state::closing;
        arm_from_next_tick();
    } else {
        state_ = state::closed;
    }
    end(std::move(why));
    return false;
}

/// Two seconds for the last words, to be counted from the next tick: what time it is now, input can't tell.
inline void client::arm_from_next_tick()
{
    counts_from_tick_ = true;
    deadlines_.arm(connection_deadline_, now_);
}

/// The connection is over as far as its users are concerned: everything that waits fails.
inline bool client::end(failure why)
{
    if (reason_)
        return false;
    reason_ = std::move(why);
    if (state_ != state::closing)
        deadlines_.disarm(connection_deadline_);
    deadlines_.disarm(heartbeat_);
    fail_waiters(reason_);
    return true;
}

inline void client::fail_waiters(const failure& why)
{
    last_channel_ = nullptr;
    for (slot& s : slots_) {
        client_channel* channel = std::exchange(s, slot{}).channel;
        if (channel == nullptr)
            continue;
        channel->reason_ = why;
        channel->state_ = channel_state::closed;
        drop_content(*channel);
        channel->deliveries_.forget();
        channel->has_settlements_ = false;
        while (!channel->pending_.empty()) {
            const auto request = channel->pending_.pop_front();
            if (request.op != nullptr) {
                deadlines_.disarm(*request.op);
                request.op->fail(why);
            }
        }
    }
    unflushed_.clear();
    while (!connection_requests_.empty()) {
        if (operation* op = connection_requests_.pop_front()) {
            deadlines_.disarm(*op);
            op->fail(why);
        }
    }
}

} // namespace leveret::engine
