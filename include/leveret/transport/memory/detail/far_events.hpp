// What a connection hears of a broker on another executor, and what it publishes to it.
#pragma once

#include "leveret/transport/memory/detail/channel_core.hpp"
#include "leveret/transport/memory/detail/far_end.hpp"

#include <memory>
#include <string>
#include <utility>

namespace leveret::memory::detail {

inline far_end::far_end(connection_core& c, std::shared_ptr<hub> h) : connection_(c), home_(std::move(h))
{
    watch(connection_.executor());
}

inline far_end::~far_end()
{
    unwatch();
    if (!link_)
        return;
    release_all();
    static_cast<void>(next(command::kind::gone, nullptr));
    send();
    link_->to_far_end.leave();
    link_->at_connection = nullptr;
}

inline void far_end::work()
{
    const local_ptr<connection_core> keeps(&connection_);
    int heard = 0;
    for (; heard < turn; ++heard) {
        event* e = link_->events.front();
        if (e == nullptr)
            break;
        hear(*e);
        link_->events.pop();
    }
    if (heard != 0 || link_->events.front() != nullptr || !link_->events.sleep()) // as the agent does
        link_->to_far_end.wake([l = link_] { far_end_work(*l); });
}

inline void far_end::hear(event& e)
{
    channel_core* const core = e.channel != nullptr ? e.channel->core : nullptr;
    switch (e.what) {
    case event::kind::deliver: deliver(*e.channel, static_cast<record*>(e.object)); break;
    case event::kind::confirmed:
        if (core != nullptr)
            core->confirmed(e.number, e.multiple, e.flag);
        break;
    case event::kind::returned: returned(*e.channel, e); break;
    case event::kind::stream_over: stream_over(*e.channel, static_cast<far_stream*>(e.object), e.flag); break;
    case event::kind::refused: {
        const std::unique_ptr<refusal> r(static_cast<refusal*>(e.object));
        if (core != nullptr)
            core->refused(r->why, r->cause);
        break;
    }
    case event::kind::answer: {
        const std::unique_ptr<far_call> c(static_cast<far_call*>(e.object));
        --calls_;
        c->answered(*this);
        break;
    }
    case event::kind::recovers:
        if (core != nullptr)
            --core->recovering;
        break;
    case event::kind::channel_over:
        forget(*e.channel);
        break;
    case event::kind::blocked: {
        const std::unique_ptr<std::string> why(static_cast<std::string*>(e.object));
        connection_.blocked(*why);
        break;
    }
    case event::kind::unblocked: connection_.unblocked(); break;
    case event::kind::room: connection_.room.ring_all(); break;
    case event::kind::session_over: {
        is_over_ = true;
        const auto why = e.flag ? engine::failure::of_system(asio::error::no_memory, "its broker")
                                : engine::failure::of_system(asio::error::operation_aborted,
                                                             "the execution context of its broker was destroyed");
        if (!connection_.is_open())
            connection_.reason = why;
        connection_.close(why);
        connection_.over.ring_all();
        break;
    }
    }
}

inline void far_end::deliver(far_channel& c, record* r)
{
    far_stream& s = *r->stream;
    if (c.core == nullptr || (c.core->recovering != 0 && !s.no_ack)) {
        taken(c, r->message->body().size());
        release(r); // with its channel it goes back by itself, and after a recover it comes again
        return;
    }
    if (s.core != nullptr) {
        c.core->arrived(*s.core, c.core->adopt(r));
        return;
    }
    taken(c, r->message->body().size()); // of a consumer that is gone
    give_back(c, r, s.no_ack);
}

inline void far_end::give_back(far_channel& c, record* r, bool no_ack)
{
    const std::uint64_t tag = r->tag;
    release(r);
    if (c.core == nullptr || no_ack) // a reply has no tag of its own; one that needs no settling may be left out
        return;
    const bool comes_again = c.core->recovering != 0;
    static_cast<void>(c.core->deliveries.arrived(tag, !comes_again));
    if (!comes_again)
        c.core->settle(tag, engine::settlement::requeue, false);
}

inline void far_end::returned(far_channel& c, const event& e)
{
    const std::unique_ptr<returned_message> m(static_cast<returned_message*>(e.object));
    if (c.core == nullptr)
        return;
    if (e.number != 0)
        static_cast<void>(c.core->publishes.returned(channel_core::mark_of(e.number),
                                                     static_cast<std::uint16_t>(m->reply_code()), m->reply_text()));
    else
        c.core->returned(std::move(*m));
}

inline void far_end::stream_over(far_channel& c, far_stream* s, bool by_broker)
{
    consumer_core* const core = c.core != nullptr ? s->core : nullptr;
    if (by_broker) { // our cancel is still to come
        if (core != nullptr)
            core->cancelled_by_broker();
        return;
    }
    if (core != nullptr) {
        core->stream = nullptr;
        if (core->state == consumer_core::status::active)
            core->state = consumer_core::status::cancelled;
        core->has_tag = false;
        core->readers.ring_all();
    }
    std::erase_if(c.streams, [s](const auto& p) { return p.get() == s; });
}

inline void far_end::publish(far_channel& to, publish_request& r, std::uint64_t tracked)
{
    command& c = next(command::kind::publish, to.there);
    c.mandatory = r.mandatory;
    c.immediate = r.immediate;
    c.is_timed = r.is_timed;
    c.number = tracked;
    c.same_address = to.has_published && is_same_text(to.last_exchange.view(), r.exchange.view()) &&
                     is_same_text(to.last_key.view(), r.routing_key.view());
    if (!c.same_address) {
        to.has_published = false; // until nothing can fail any more
        to.last_exchange = c.exchange = r.exchange.view();
        to.last_key = c.routing_key = r.routing_key.view();
        to.has_published = true;
    }
    ++sent_;
    sent_bytes_ += r.body.size();
    c.body = std::move(r.body);
    c.has_properties = r.far_properties != nullptr;
    if (c.has_properties)
        c.properties = std::move(r.far_properties);
    show_soon();
}

} // namespace leveret::memory::detail
