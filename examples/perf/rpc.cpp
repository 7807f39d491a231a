#include "rpc.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <stdexcept>
#include <utility>

namespace perf {

rpc_client::rpc_client(run_state& state, const options& o, std::vector<std::string> keys,
                       std::uint64_t share)
    : state_(state), options_(o), keys_(std::move(keys)),
      share_(share), called_(o.in_flight),
      request_(std::string(o.size, 'x'))
{
    for (std::size_t slot = 0; slot < o.in_flight; ++slot)
        ids_.push_back(std::to_string(slot));
    if (o.persistent)
        request_.persistent();
}

asio::awaitable<void> rpc_client::open()
{
    co_await connect(options_, "leveret-perf client");
    channel_ = co_await connection_.open_channel();
    const lv::amqp::queue_info replies =
        co_await channel_.declare_queue("", {.exclusive = true, .auto_delete = true});
    reply_to_ = replies.name();
    request_.reply_to(reply_to_);
}

asio::awaitable<void> rpc_client::subscribe()
{
    replies_ = co_await channel_.consume(reply_to_, {.prefetch = 0, .no_ack = true});
}

/// The loop that is measured.
asio::awaitable<void> rpc_client::run(std::size_t)
{
    const std::size_t keys = keys_.size();
    const std::size_t first =
        static_cast<std::size_t>(std::min<std::uint64_t>(options_.in_flight, share_));
    for (std::size_t slot = 0; slot < first; ++slot) {
        if (is_timed(slot))
            called_[slot] = now_ns();
        prepare(slot);
        co_await channel_.publish(options_.exchange, keys_[slot % keys], request_, patient);
    }
    while (answers_ < calls_) {
        const std::optional<lv::amqp::delivery> reply = co_await replies_.next();
        if (!reply)
            break;
        const std::size_t slot = slot_of(reply->properties().correlation_id());
        ++answers_;
        if (is_timed(slot)) { // one reading ends a call and begins the next
            const std::uint64_t now = now_ns();
            state_.round_trip.record(now - called_[slot]);
            called_[slot] = now;
        }
        if (calls_ < share_ && !state_.is_stopping()) {
            prepare(slot);
            co_await channel_.publish(options_.exchange, keys_[slot % keys], request_, patient);
        }
    }
    state_.work_ended(0);
}

void rpc_client::prepare(std::size_t slot)
{
    request_.properties().correlation_id(ids_[slot]);
    ++calls_;
}

std::size_t rpc_client::slot_of(std::string_view correlation_id) const
{
    std::size_t slot = ids_.size();
    const char* end = correlation_id.data() + correlation_id.size();
    const auto read = std::from_chars(correlation_id.data(), end, slot);
    if (read.ec != std::errc() || read.ptr != end || slot >= ids_.size())
        throw std::runtime_error("a reply has a correlation id that no call had");
    return slot;
}

counts rpc_client::counted() const
{
    counts c;
    c.published = calls_;
    c.consumed = c.round_trips = answers_;
    return c;
}

asio::awaitable<void> rpc_server::run(std::size_t loop)
{
    stream& s = stream_at(loop);
    lv::message reply;
    if (persistent_)
        reply.persistent();
    while (std::optional<lv::amqp::delivery> request = co_await s.deliveries.next()) {
        const lv::wire::properties_view asked = request->properties();
        reply.body(request->payload());
        reply.properties().correlation_id(asked.correlation_id());
        co_await s.channel.publish("", asked.reply_to(), reply, patient);
        ++replies_;
        settle(s, *request);
        if (counts_calls_ && ++state_.consumed >= state_.target && state_.has_enough())
            break;
    }
}

counts rpc_server::counted() const
{
    counts c;
    if (counts_calls_)
        c.published = replies_;
    return c;
}

} // namespace perf
