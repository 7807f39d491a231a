#include "session.hpp"

#include "consumer.hpp"
#include "producer.hpp"
#include "rpc.hpp"

#include <asio/co_spawn.hpp>
#include <asio/redirect_error.hpp>
#include <asio/use_awaitable.hpp>

#include <chrono>
#include <csignal>
#include <exception>
#include <string>
#include <utility>

namespace perf {

namespace {

// Seconds of patience...
constexpr unsigned arrival_patience = 10; // while published messages have not arrived
constexpr unsigned reply_patience = 30;   // while calls have no reply
constexpr unsigned stop_patience = 5;     // while workers do not come to an end

} // namespace

session::session(const asio::any_io_executor& executor, const options& o)
    : executor_(executor), options_(o), state_(executor), topology_(o), signals_(executor),
      limit_(executor), second_(executor), ended_(executor), progress_(o)
{
}

asio::awaitable<void> session::run()
{
    std::exception_ptr error;
    try {
        co_await set_up();
    } catch (...) {
        error = std::current_exception();
    }
    if (!error) {
        begin();
        co_await state_.until_over();
        error = state_.error();
    }
    try {
        co_await end();
    } catch (...) {
        if (!error) // else it is most likely a consequence
            error = std::current_exception();
    }
    if (error)
        std::rethrow_exception(error);
}

asio::awaitable<void> session::set_up()
{
    co_await topology_.declare();
    make_workers();
    for (const auto& w : workers_)
        co_await w->open();
    for (const auto& w : workers_)
        co_await w->subscribe();
}

void session::make_workers()
{
    const options& o = options_;
    const bool is_timed = !o.rpc && o.producers != 0 && o.consumers != 0 && o.size >= stamp::size;
    const stamp* clock = is_timed ? &stamp_ : nullptr;
    for (std::size_t i = 0; i < o.consumers; ++i) {
        auto queues = topology_.queues_of(i, o.consumers);
        if (o.rpc)
            workers_.push_back(std::make_unique<rpc_server>(state_, o, std::move(queues),
                                                            o.producers == 0));
        else
            workers_.push_back(std::make_unique<consumer>(state_, o, std::move(queues), clock));
    }
    for (std::size_t i = 0; i < o.producers; ++i) {
        auto keys = topology_.keys_of(i, o.producers);
        const std::uint64_t share = share_of(o.count, i, o.producers);
        if (o.rpc)
            workers_.push_back(std::make_unique<rpc_client>(state_, o, std::move(keys), share));
        else
            workers_.push_back(
                std::make_unique<producer>(state_, o, std::move(keys), share, clock));
    }
    state_.copies = o.consumers == 0 || o.rpc ? 0 : topology_.copies();
    if (o.producers == 0 && o.count != 0)
        state_.target = o.count;
}

/// The measured time begins. From here on Ctrl-C ends the run in good order; a second one at once.
void session::begin()
{
    for (int signal : {SIGINT, SIGTERM})
        signals_.add(signal);
    signals_.async_wait([this](asio::error_code ec, int) {
        if (ec)
            return;
        signals_.clear();
        state_.stop();
    });
    has_begun_ = true;
    state_.start(options_.producers);
    for (const auto& w : workers_)
        for (std::size_t loop = 0; loop < w->loops(); ++loop)
            spawn(*w, loop);
    if (options_.seconds != 0) {
        limit_.expires_after(std::chrono::duration_cast<std::chrono::nanoseconds>(
            std::chrono::duration<double>(options_.seconds)));
        limit_.async_wait([this](asio::error_code ec) {
            if (!ec)
                state_.stop();
        });
    }
    watch();
}

void session::spawn(worker& w, std::size_t loop)
{
    ++loops_;
    asio::co_spawn(executor_, w.run(loop), [this](std::exception_ptr error) {
        --loops_;
        ended_.cancel();
        if (error && !state_.is_over()) // afterwards it is only that its connection was closed
            state_.fail(error);
    });
}

void session::watch()
{
    second_.expires_after(std::chrono::seconds(1));
    second_.async_wait([this](asio::error_code ec) {
        if (ec || state_.is_over())
            return;
        on_second();
        watch();
    });
}

void session::on_second()
{
    if (progress_.is_shown()) {
        bool is_blocked = false;
        for (const auto& w : workers_)
            is_blocked = is_blocked || w->is_blocked();
        progress_.show(measured(), is_blocked);
    }
    const std::uint64_t moved_now = moved();
    still_ = moved_now == std::exchange(moved_, moved_now) ? still_ + 1 : 0;
    if (state_.is_stopping()) {
        if (++stopping_ > stop_patience)
            state_.finish("stopped without waiting any longer for the broker");
    } else if (options_.rpc && options_.producers != 0) {
        if (still_ >= reply_patience)
            state_.finish("no reply for " + std::to_string(reply_patience) +
                          " s: does anybody serve the calls?");
    } else if (options_.producers != 0 && !state_.is_working() && still_ >= arrival_patience) {
        state_.finish(std::to_string(state_.target - state_.consumed) + " of " +
                      std::to_string(state_.target) + " published messages did not arrive (none in " +
                      std::to_string(arrival_patience) + " s)");
    }
}

asio::awaitable<void> session::end()
{
    asio::error_code ignored;
    signals_.cancel(ignored);
    signals_.clear(ignored); // from here on Ctrl-C ends us at once
    limit_.cancel();
    second_.cancel();
    for (const auto& w : workers_)
        w->settle();
    for (const auto& w : workers_)
        co_await w->close();
    ended_.expires_at(asio::steady_timer::time_point::max());
    while (loops_ != 0)
        co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_await topology_.remove();
}

std::uint64_t session::moved() const
{
    const measurement m = measured();
    return m.total.published + m.total.consumed;
}

measurement session::measured() const
{
    measurement m;
    for (const auto& w : workers_)
        m.total += w->counted();
    m.total.consumed += state_.consumed;
    m.seconds = state_.seconds();
    m.cpu_ns = state_.is_over() ? state_.cpu() : 0;
    m.peak_rss_kib = state_.peak_rss_kib();
    m.latency = &state_.latency;
    m.round_trip = &state_.round_trip;
    m.problem = state_.problem();
    return m;
}

} // namespace perf
