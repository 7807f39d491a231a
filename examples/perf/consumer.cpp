#include "consumer.hpp"

#include <optional>
#include <utility>

namespace perf {

consumer::consumer(run_state& state, const options& o, std::vector<std::string> queues,
                   const stamp* clock)
    : state_(state), options_(o), ack_every_(o.auto_ack ? 0 : o.ack_every), stamp_(clock),
      streams_(queues.size())
{
    for (std::size_t i = 0; i < queues.size(); ++i)
        streams_[i].queue = std::move(queues[i]);
}

asio::awaitable<void> consumer::open()
{
    co_await connect(options_, "leveret-perf consumer");
    for (stream& s : streams_)
        s.channel = co_await connection_.open_channel();
}

asio::awaitable<void> consumer::subscribe()
{
    lv::consume_options how;
    how.no_ack = options_.auto_ack;
    how.prefetch = options_.auto_ack ? std::uint16_t{0} : options_.prefetch;
    for (stream& s : streams_)
        s.deliveries = co_await s.channel.consume(s.queue, how);
}

/// The loop that is measured.
asio::awaitable<void> consumer::run(std::size_t loop)
{
    stream& s = stream_at(loop);
    while (std::optional<lv::amqp::delivery> d = co_await s.deliveries.next()) {
        if (stamp_ != nullptr) {
            if (const auto age = stamp_->age(d->body()))
                state_.latency.record(*age);
        }
        settle(s, *d);
        if (++state_.consumed >= state_.target && state_.has_enough())
            break;
    }
}

void consumer::settle()
{
    for (stream& s : streams_)
        settle_rest(s);
}

void consumer::settle_rest(stream& s)
{
    if (s.pending == 0)
        return;
    s.pending = 0;
    s.channel.ack(s.last_tag, {.multiple = true});
}

} // namespace perf
