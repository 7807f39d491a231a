// Requests, settlements and time of engine::client. Included by client.hpp.
#pragma once

#include "leveret/engine/client.hpp"

#include <string>
#include <string_view>

namespace leveret::engine {

template <wire::method Method>
void client::write(std::uint16_t channel, const Method& m)
{
    const std::size_t size = wire::frame_size(m);
    wire::writer out(output_.append(size), size);
    wire::encode_frame(out, channel, m);
    LEVERET_ASSERT(out.ok() && out.size() == size);
    sent_since_beat_ = true;
}

inline void client::open_channel(client_channel& channel, operation& op, instant deadline)
{
    LEVERET_ASSERT(channel.state_ == channel_state::closed);
    op.start();
    if (state_ != state::open) {
        op.fail(reason_ ? reason_
                        : failure::of_library(errc::wrong_state, "the connection is not open yet"));
        return;
    }
    const std::uint16_t number = free_number();
    if (number == 0) {
        op.fail(failure::of_library(errc::no_free_channel,
                                    "all " + std::to_string(channel_max_) +
                                        " channels of the connection are in use"));
        return;
    }
    if (number >= slots_.size())
        slots_.resize(std::size_t{number} + 1);
    slots_[number].channel = &channel;
    channel.number_ = number;
    channel.state_ = channel_state::opening;
    channel.reason_ = {};
    channel.flow_active_ = true;
    channel.confirming_ = channel.transactional_ = false;
    channel.recovering_ = 0;
    channel.publishes_ = confirms{};
    channel.deliveries_ = settlements{};
    request(channel, wire::channel::open{}, wire::channel::open_ok::id, &op, deadline);
}

/// The next number that no channel uses, in turn, so that a number rests before it is used again.
inline std::uint16_t client::free_number()
{
    for (std::uint32_t tries = 0; tries < channel_max_; ++tries) {
        const std::uint16_t number = next_number_;
        next_number_ = number >= channel_max_ ? std::uint16_t{1} : static_cast<std::uint16_t>(number + 1);
        const slot* s = slot_of(number);
        if (s == nullptr || (s->channel == nullptr && !s->draining))
            return number;
    }
    return 0;
}

template <wire::method Request>
void client::request(client_channel& channel, const Request& m, wire::method_number answer,
                     operation* op, instant deadline)
{
    std::string frame(wire::frame_size(m), '\0');
    wire::writer out(frame.data(), frame.size());
    wire::encode_frame(out, channel.number_, m);
    LEVERET_ASSERT(out.ok());
    request(channel, frame, Request::id, answer, op, deadline);
}

inline void client::request(client_channel& channel, std::string_view frame,
                            wire::method_number method, wire::method_number answer, operation* op,
                            instant deadline, bool no_ack)
{
    if (op != nullptr)
        op->start();
    if (channel.state_ == channel_state::closed || channel.state_ == channel_state::closing) {
        if (op != nullptr)
            op->fail(channel.reason_ ? channel.reason_
                                     : failure::of_library(errc::channel_closed, "the channel is closed"));
        return;
    }
    flush_settlements(channel); // what was settled before must not be overtaken by this
    output_.append(frame);
    sent_since_beat_ = true;
    auto& pending = channel.pending_.push_back({op, method, answer, no_ack});
    wire::reader arguments(frame.substr(wire::frame_header_size + 4, frame.size() - wire::frame_overhead - 4));
    if (method == wire::basic::consume::id)
        pending.tag = wire::decode<wire::basic::consume>(arguments).consumer_tag;
    if (method == wire::basic::cancel::id)
        pending.tag = wire::decode<wire::basic::cancel>(arguments).consumer_tag;
    if (method == wire::confirm::select::id)
        channel.confirming_ = true;
    if (method == wire::tx::select::id)
        channel.transactional_ = true;
    if (method == wire::tx::rollback::id)
        channel.deliveries_.lower_may_be_open();
    if (method == wire::basic::recover::id) { // all that is open comes again, under new tags
        channel.deliveries_.forget();
        ++channel.recovering_;
    }
    if (op != nullptr && deadline != instant::never())
        deadlines_.arm(*op, deadline);
}

template <wire::method Method>
void client::send(client_channel& channel, const Method& m)
{
    if (channel.state_ != channel_state::open)
        return;
    flush_settlements(channel);
    write(channel.number_, m);
}

inline void client::send(client_channel& channel, std::string_view frame)
{
    if (channel.state_ != channel_state::open)
        return;
    flush_settlements(channel);
    output_.append(frame);
    sent_since_beat_ = true;
}

inline void client::close_channel(client_channel& channel, operation* op, instant deadline)
{
    const auto reason = failure::of_library(errc::channel_closed, "the channel is closed");
    if (op != nullptr)
        op->start();
    if (channel.state_ != channel_state::open && channel.state_ != channel_state::opening) {
        if (op != nullptr)
            op->succeed();
        return;
    }
    flush_settlements(channel);
    channel.reason_ = reason;
    // Nothing but close-ok is read from here on: who waits for something else waits in vain.
    while (!channel.pending_.empty()) {
        const auto request = channel.pending_.pop_front();
        if (request.op != nullptr) {
            deadlines_.disarm(*request.op);
            request.op->fail(reason);
        }
    }
    channel.state_ = channel_state::closing;
    drop_content(channel);
    channel.pending_.push_back({op, wire::channel::close::id, wire::channel::close_ok::id, false});
    if (op != nullptr && deadline != instant::never())
        deadlines_.arm(*op, deadline);
    wire::channel::close close;
    close.reply_code = static_cast<std::uint16_t>(reply_code::success);
    close.reply_text = "bye";
    write(channel.number_, close);
}

inline void client::detach_channel(client_channel& channel)
{
    if (channel.state_ == channel_state::open || channel.state_ == channel_state::opening)
        close_channel(channel, nullptr, instant::never());
    if (channel.state_ == channel_state::closing)
        slots_[channel.number_] = slot{nullptr, true};
    if (last_channel_ == &channel)
        last_channel_ = nullptr;
    while (!channel.pending_.empty()) {
        const auto request = channel.pending_.pop_front();
        if (request.op != nullptr)
            deadlines_.disarm(*request.op);
    }
    channel.state_ = channel_state::closed;
    drop_content(channel);
    unflushed_.erase(&channel);
    channel.has_settlements_ = false;
}

inline void client::abandon(client_channel* channel, operation& op) noexcept
{
    deadlines_.disarm(op);
    if (channel != nullptr) {
        for (std::size_t i = 0; i < channel->pending_.size(); ++i)
            if (channel->pending_[i].op == &op)
                channel->pending_[i].op = nullptr;
        return;
    }
    for (std::size_t i = 0; i < connection_requests_.size(); ++i)
        if (connection_requests_[i] == &op)
            connection_requests_[i] = nullptr;
}

inline void client::note_settlements(client_channel& channel)
{
    if (channel.has_settlements_ || !channel.deliveries_.has_news())
        return;
    channel.has_settlements_ = true;
    unflushed_.push_back(&channel);
}

inline bool client::settle(client_channel& channel, std::uint64_t tag, settlement how)
{
    if (channel.state_ != channel_state::open || !channel.deliveries_.settle(tag, how))
        return false;
    note_settlements(channel);
    return true;
}

inline std::size_t client::settle_up_to(client_channel& channel, std::uint64_t tag, settlement how)
{
    if (channel.state_ != channel_state::open)
        return 0;
    const std::size_t n = channel.deliveries_.settle_up_to(tag, how);
    note_settlements(channel);
    return n;
}

inline void client::flush_settlements(client_channel& channel)
{
    if (!channel.deliveries_.has_news() || channel.state_ != channel_state::open)
        return;
    channel.deliveries_.flush([&](std::uint64_t tag, bool multiple, settlement how) {
        if (how == settlement::ack) {
            wire::basic::ack m;
            m.delivery_tag = tag;
            m.multiple = multiple;
            write(channel.number_, m);
            return;
        }
        wire::basic::nack m;
        m.delivery_tag = tag;
        m.multiple = multiple;
        m.requeue = how == settlement::requeue;
        write(channel.number_, m);
    });
}

inline void client::flush_settlements()
{
    for (client_channel* channel : unflushed_) {
        channel->has_settlements_ = false;
        flush_settlements(*channel);
    }
    unflushed_.clear();
}

inline void client::update_secret(std::string_view secret, std::string_view why, operation& op,
                                  instant deadline)
{
    op.start();
    if (state_ != state::open) {
        op.fail(reason_ ? reason_
                        : failure::of_library(errc::wrong_state, "the connection is not open yet"));
        return;
    }
    connection_requests_.push_back(&op);
    if (deadline != instant::never())
        deadlines_.arm(op, deadline);
    wire::connection::update_secret m;
    m.new_secret = secret;
    m.reason = why;
    write(0, m);
}

inline void client::close(reply_code code, std::string_view text, instant deadline)
{
    if (state_ == state::closed || state_ == state::closing)
        return;
    const bool was_open = state_ == state::open;
    if (was_open) {
        flush_settlements();
        wire::connection::close m;
        m.reply_code = static_cast<std::uint16_t>(code);
        m.reply_text = text;
        write(0, m);
    }
    state_ = was_open ? state::closing : state::closed;
    end(failure::of_library(errc::connection_closed, "the connection is closed"));
    if (was_open)
        deadlines_.arm(connection_deadline_, deadline);
}

inline void client::tick(instant now, bool input_paused)
{
    now_ = now;
    input_paused_ = input_paused;
    deadlines_.expire(now);
}

/// The handshake, or the answer to our close, took too long.
inline void client::connection_timed_out() noexcept
{
    if (std::exchange(counts_from_tick_, false))
        return deadlines_.arm(connection_deadline_, now_ + duration::seconds(2));
    if (state_ == state::closing) {
        state_ = state::closed;
        return;
    }
    static constexpr const char* waiting[] = {"", "its first answer", "authentication",
                                              "the virtual host to open"};
    const auto step = static_cast<std::size_t>(state_);
    state_ = state::closed;
    end(failure::of_library(errc::timed_out,
                            std::string("the handshake with the server took longer than ") +
                                std::to_string(config_.handshake_timeout.count_ms()) +
                                " ms; it stood at " + waiting[step < 4 ? step : 0]));
}

/// Twice in a heartbeat interval: a heartbeat if nothing else was sent, and a look at the peer. Beats are
/// counted, not time, so that a program that was held up itself first reads what has come meanwhile.
/// Source: specification 4.2.7; RabbitMQ's clients do the same.
inline void client::beat() noexcept
{
    if (state_ != state::open)
        return;
    deadlines_.arm(heartbeat_, now_ + duration::milliseconds(heartbeat_seconds_ * 500));
    if (!std::exchange(sent_since_beat_, false)) {
        output_.append(wire::heartbeat_frame);
    }
    if (std::exchange(received_since_beat_, false) || input_paused_) {
        silent_beats_ = 0;
        return;
    }
    if (++silent_beats_ < 4)
        return;
    state_ = state::closed; // no use in telling a peer that is gone
    end(failure::of_protocol(protocol_errc::heartbeat_timeout,
                             "nothing arrived from the server for two heartbeat intervals of " +
                                 std::to_string(heartbeat_seconds_) + " s"));
}

} // namespace leveret::engine
