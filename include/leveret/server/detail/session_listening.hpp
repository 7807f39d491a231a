// What the broker tells a session, on its way to the client: a part of session.hpp.
#pragma once

#include "leveret/server/detail/session.hpp"

#include <string>
#include <string_view>

namespace leveret::broker::server_detail {

inline void home::touch(session& s)
{
    if (touched_.empty())
        schedule_flush();
    touched_.push_back(&s);
}

inline void home::flush_all()
{
    std::swap(touched_, flushing_);
    for (session* s : flushing_) {
        s->is_touched_ = false;
        s->flush_confirms();
    }
    while (!flushing_.empty()) {
        session* s = flushing_.back();
        flushing_.pop_back();
        s->flush();
    }
}

inline properties_ptr session_channel::share(const wire::properties_view& p)
{
    if (p.flags() == 0)
        return {};
    if (last_properties_ && p.flags() == last_flags_ && p.encoded() == last_encoded_)
        return last_properties_;
    if (p.encoded().size() > max_remembered_encoded) {
        last_properties_.reset();
        return core->share(wire::decode_properties(p));
    }
    last_properties_ = core->share(wire::decode_properties(p));
    last_flags_ = p.flags();
    last_encoded_ = p.encoded();
    return last_properties_;
}

inline void session_channel::consuming(consumer& c) noexcept
{
    if (no_wait)
        return;
    wire::basic::consume_ok ok;
    ok.consumer_tag = c.tag();
    owner_.answer(*this, ok);
}

inline flow session_channel::deliver(consumer& to, const delivery& d) noexcept
{
    stored_message& m = d.message;
    // Replies come whether they are wanted or not; all channels of the connection together may have so much of them.
    if (to.is_of_replies() && owner_.engine.output().size() >=
                                  owner_.home_.limits.output_bytes + delivery_window::max_late_reply_bytes)
        return flow::enough;
    if (&to != head_of_ || m.route().get() != head_route_.get() ||
        m.properties_node().get() != head_properties_.get())
        shape(to, m);
    engine::server_connection& engine = owner_.engine;
    head_.append(engine.output(), d.tag, d.redelivered, m.body(), engine.frame_max());
    engine.note_output();
    owner_.touch();
    if (engine.output().size() < owner_.home_.limits.output_bytes) [[likely]]
        return flow::more;
    owner_.pause_all();
    return flow::enough;
}

/// The output is one for all channels: when it is full none of them gets more.
inline void session::pause_all() noexcept
{
    if (paused_ == channels_.size())
        return;
    for (const auto& c : channels_)
        if (c->core != nullptr && !std::exchange(c->is_paused_, true)) {
            ++paused_;
            c->core->pause();
        }
}

inline void session_channel::shape(const consumer& to, const stored_message& m)
{
    const bool is_large = m.properties_node() && m.properties_node()->memory() > max_remembered_properties;
    head_of_ = is_large ? nullptr : &to; // what is remembered stays
    head_route_ = m.route();
    head_properties_ = is_large ? properties_ptr() : m.properties_node();
    head_.assign(number(), to.tag(), m.exchange(), m.routing_key(), m.properties());
}

inline void session_channel::returned(stored_message& m, reply_code code,
                                      std::string_view text) noexcept
{
    wire::basic::return_ r;
    r.reply_code = static_cast<std::uint16_t>(code);
    r.reply_text = text;
    r.exchange = m.exchange();
    r.routing_key = m.routing_key();
    engine::append_content(owner_.engine.output(), number(), r, m.properties(), m.body(),
                           owner_.engine.frame_max());
    owner_.engine.note_output();
    owner_.touch();
}

/// What was refused is told apart from what was taken.
inline void session_channel::confirmed(std::uint64_t confirmed_number, bool, bool taken) noexcept
{
    if (has_confirms_ && taken != last_taken_)
        flush_confirms();
    last_confirmed_ = confirmed_number;
    last_taken_ = taken;
    if (has_confirms_)
        return;
    has_confirms_ = true;
    owner_.unconfirmed_.push_back(this);
    owner_.touch();
}

inline void session_channel::flush_confirms()
{
    if (!has_confirms_)
        return;
    has_confirms_ = false;
    owner_.unconfirmed_.erase(this);
    const auto tell = [&](auto m) {
        m.delivery_tag = last_confirmed_;
        m.multiple = last_confirmed_ > told_ + 1;
        owner_.engine.send(number(), m);
    };
    if (last_taken_)
        tell(wire::basic::ack());
    else
        tell(wire::basic::nack());
    told_ = last_confirmed_;
}

/// Behind the answer to the method that did it, if that is one of ours.
inline void session_channel::consumer_cancelled(consumer& c) noexcept
{
    if (&c == head_of_)
        head_of_ = nullptr;
    if (!owner_.can_be_cancelled_)
        return;
    owner_.cancelled_.push_back({this, c.tag()});
    if (!owner_.is_handling_)
        owner_.cancel_waiting();
    owner_.touch();
}

inline void session::cancel_waiting()
{
    for (const cancellation& c : cancelled_) {
        wire::basic::cancel m;
        m.consumer_tag = c.tag;
        m.no_wait = true;
        engine.send(c.channel->number(), m);
    }
    cancelled_.clear();
}

inline void session::flush_confirms()
{
    while (!unconfirmed_.empty())
        unconfirmed_.back()->flush_confirms();
}

inline void session::blocked(std::string_view reason) noexcept
{
    is_blocked_ = true;
    if (!can_be_blocked_)
        return;
    wire::connection::blocked m;
    m.reason = reason;
    engine.send(0, m);
    told_blocked_ = true;
    touch();
}

inline void session::unblocked() noexcept
{
    is_blocked_ = false;
    if (std::exchange(told_blocked_, false))
        engine.send(0, wire::connection::unblocked{});
    touch(); // reading goes on
}

} // namespace leveret::broker::server_detail
