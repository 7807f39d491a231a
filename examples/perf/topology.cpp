#include "topology.hpp"

#include <stdexcept>

namespace perf {

namespace lv = leveret;

namespace {

[[nodiscard]] std::string numbered(const std::string& name, std::size_t number)
{
    const std::size_t at = name.find("%d");
    if (at == std::string::npos)
        return name + "-" + std::to_string(number);
    return name.substr(0, at) + std::to_string(number) + name.substr(at + 2);
}

/// What worker `i` of `n` has of `all`.
[[nodiscard]] std::vector<std::string> dealt(const std::vector<std::string>& all, std::size_t i,
                                             std::size_t n)
{
    if (n >= all.size())
        return {all[i % all.size()]};
    std::vector<std::string> some;
    for (; i < all.size(); i += n)
        some.push_back(all[i]);
    return some;
}

/// Whether the broker has it anyway: the default exchange and its amq.*, which nobody may declare.
[[nodiscard]] bool is_predeclared(const std::string& exchange)
{
    return exchange.empty() || exchange.starts_with("amq.");
}

} // namespace

topology::topology(const options& o) : options_(o)
{
    const bool is_needed = !o.queue.empty() || o.consumers != 0 || o.exchange.empty();
    if (is_needed)
        queues_.resize(o.queues);
    if (o.queue.empty() || o.queues == 1) {
        for (std::string& name : queues_)
            name = o.queue;
        return;
    }
    for (std::size_t i = 0; i < queues_.size(); ++i)
        queues_[i] = numbered(o.queue, i + 1);
}

asio::awaitable<void> topology::declare()
{
    if (!options_.declare)
        co_return;
    connection_ = co_await lv::amqp::connect(options_.uri, {.connection_name = "leveret-perf"});
    channel_ = co_await connection_.open_channel();
    try {
        co_await declare_all();
    } catch (const lv::channel_error& e) {
        if (e.diagnostics().code != static_cast<std::uint16_t>(lv::reply_code::precondition_failed))
            throw;
        throw std::runtime_error(std::string(e.what()) +
                                 "; --no-declare uses what is there as it is");
    }
}

asio::awaitable<void> topology::declare_all()
{
    const options& o = options_;
    if (!is_predeclared(o.exchange)) {
        lv::exchange_options how;
        how.durable = o.durable;
        how.auto_delete = !o.durable;
        co_await channel_.declare_exchange(o.exchange, o.type, how);
    }
    lv::queue_options how;
    how.durable = o.durable;
    if (o.queue.empty()) {
        // Ours alone: it goes with its last consumer or, where there is none, with this connection.
        how.auto_delete = true;
        how.exclusive = o.consumers == 0;
    } else {
        how.auto_delete = !o.durable;
        how.passive = o.rpc && o.consumers == 0; // whoever serves it knows how it is to be
    }
    for (std::string& name : queues_) {
        const lv::amqp::queue_info made = co_await channel_.declare_queue(name, how);
        name = made.name();
        if (!o.exchange.empty() && !how.passive)
            co_await channel_.bind_queue(name, o.exchange, key_of(name));
    }
}

asio::awaitable<void> topology::remove()
{
    if (!options_.declare)
        co_return;
    if (options_.queue.empty() && channel_.is_open())
        for (const std::string& name : queues_)
            co_await channel_.delete_queue(name);
    co_await connection_.close();
}

const std::string& topology::key_of(const std::string& queue) const
{
    return options_.exchange.empty() || options_.routing_key.empty() ? queue : options_.routing_key;
}

std::vector<std::string> topology::keys_of(std::size_t i, std::size_t n) const
{
    if (!options_.exchange.empty() && (queues_.empty() || !options_.routing_key.empty()))
        return {options_.routing_key};
    return dealt(queues_, i, n);
}

std::vector<std::string> topology::queues_of(std::size_t i, std::size_t n) const
{
    return dealt(queues_, i, n);
}

std::size_t topology::copies() const
{
    const options& o = options_;
    const bool all = !o.exchange.empty() &&
                     (!o.routing_key.empty() || o.type == "fanout" || o.type == "headers");
    return all ? queues_.size() : 1;
}

} // namespace perf
