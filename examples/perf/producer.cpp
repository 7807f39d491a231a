#include "producer.hpp"

#include <asio/redirect_error.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_awaitable.hpp>

#include <algorithm>
#include <chrono>
#include <utility>

namespace perf {

namespace {

/// Between two looks at whether to go on.
constexpr std::uint64_t plain_burst = 64;
/// One message in so many has a time stamp...
constexpr std::uint64_t stamped_burst = 16;
/// ...but each of a run of so few.
constexpr std::uint64_t few = 10'000;
/// Failures that are left to the publisher before it is asked for them (it keeps up to 65,536).
constexpr std::uint64_t many_failures = 10'000;

constexpr std::uint64_t second = 1'000'000'000;
/// A timer costs as much as dozens of messages: not more often than this.
constexpr std::uint64_t least_wait = second / 1000;
constexpr std::uint64_t longest_wait = second / 10; // to notice the end of the run

} // namespace

producer::producer(run_state& state, const options& o, std::vector<std::string> keys, std::uint64_t share,
                   const stamp* clock)
    : state_(state), options_(o), keys_(std::move(keys)),
      share_(share), stamp_(clock),
      burst_(clock == nullptr ? plain_burst : o.count != 0 && o.count <= few ? 1 : stamped_burst),
      body_(o.size, stamp::filling), plain_(body_)
{
    if (o.persistent)
        plain_.persistent();
    stamped_ = plain_;
}

asio::awaitable<void> producer::open()
{
    co_await connect(options_, "leveret-perf producer");
    channel_ = co_await connection_.open_channel();
    if (options_.confirm != 0) {
        lv::amqp::publisher_options how;
        how.window = options_.confirm;
        how.window_bytes = std::max(how.window_bytes, options_.confirm * options_.size);
        how.timeout = lv::duration::never();
        publisher_.emplace(channel_, how);
    }
    if (options_.rate != 0)
        pace_.emplace(co_await asio::this_coro::executor);
}

asio::awaitable<void> producer::run(std::size_t)
{
    began_ = now_ns();
    if (publisher_) {
        co_await publish_all(*publisher_);
        co_await flush();
    } else {
        co_await publish_all(channel_, patient);
        // An answer tells that the broker has read it all, or why it closed the channel. Who stops a run
        // before it is complete does not want to wait for that.
        if (!state_.is_stopping())
            co_await channel_.set_prefetch(0, false, {.timeout = lv::duration::never()});
    }
    state_.work_ended(done_.published - done_.returned - done_.rejected);
}

/// The loop that is measured. `Out` is a channel or a publisher.
template <class Out, class... Options>
asio::awaitable<void> producer::publish_all(Out& out, Options... how)
{
    while (done_.published < share_ && !state_.is_stopping()) {
        std::uint64_t n = burst_;
        if (pace_)
            n = co_await wait_for_turn();
        n = std::min(n, share_ - done_.published);
        if (stamp_ != nullptr && n != 0) {
            stamp_->write(body_);
            stamped_.body(lv::payload(body_));
            co_await out.publish(options_.exchange, next_key(), stamped_, how...);
            ++done_.published;
            --n;
        }
        for (; n != 0; --n) {
            const std::string& key = next_key();
            if (!publish_at_once(out, key))
                co_await out.publish(options_.exchange, key, plain_, how...);
            ++done_.published;
        }
        if (publisher_ && has_many_failures())
            co_await flush();
    }
}

/// What a program does that publishes as fast as it can: without a coroutine while there is room.
bool producer::publish_at_once(lv::amqp::channel& channel, const std::string& key)
{
    return channel.try_publish(options_.exchange, key, plain_);
}

/// Waits until a message is due at the wanted rate, and returns how many are, up to a burst; 0 when it is
/// time to look whether the run goes on. What was missed is made up for, up to a second's worth.
asio::awaitable<std::uint64_t> producer::wait_for_turn()
{
    const double rate = options_.rate;
    const std::uint64_t now = now_ns();
    // Message n is due n / rate after the beginning.
    const auto due_until = [&](std::uint64_t t) {
        return static_cast<std::uint64_t>(static_cast<double>(t - began_) / 1e9 * rate) + 1;
    };
    std::uint64_t due = due_until(now);
    if (now - began_ > second && due - std::min(due, paced_) > due_until(began_ + second)) {
        began_ = now - second;
        paced_ = 0;
        due = due_until(now);
    }
    if (due > paced_) {
        const std::uint64_t n = std::min(due - paced_, burst_);
        paced_ += n;
        co_return n;
    }
    const std::uint64_t next =
        began_ + static_cast<std::uint64_t>(static_cast<double>(paced_) / rate * 1e9);
    const std::uint64_t wait = std::clamp(next > now ? next - now : 0, rate > 1000 ? least_wait : 1,
                                          longest_wait);
    pace_->expires_after(std::chrono::nanoseconds(wait));
    asio::error_code ignored;
    co_await pace_->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return 0;
}

bool producer::has_many_failures() const
{
    const std::uint64_t known = publisher_->confirmed() + publisher_->in_flight();
    return done_.published - flushed_ > known + many_failures;
}

asio::awaitable<void> producer::flush()
{
    const lv::amqp::flush_report report = co_await publisher_->flush();
    done_.confirmed += report.confirmed();
    for (const lv::amqp::publish_failure& failure : report.failures())
        ++(failure.result().is_unroutable() ? done_.returned : done_.rejected);
    flushed_ = done_.published;
}

counts producer::counted() const
{
    counts c = done_;
    if (publisher_)
        c.confirmed += publisher_->confirmed();
    return c;
}

} // namespace perf
