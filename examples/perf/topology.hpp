#pragma once

#include "options.hpp"

#include <leveret/amqp.hpp>

#include <asio/awaitable.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace perf {

/// The exchange and queues of a run, and who works with which.
class topology {
public:
    explicit topology(const options& o);

    /// Declares what is to be declared, on a connection that stays open until `remove`.
    [[nodiscard]] asio::awaitable<void> declare();
    /// Deletes the queues that were made for this run only.
    [[nodiscard]] asio::awaitable<void> remove();

    /// The routing keys for producer number `i` of `n`, and the queues for such a consumer: at least one
    /// for each of them, and each for at least one.
    [[nodiscard]] std::vector<std::string> keys_of(std::size_t i, std::size_t n) const;
    [[nodiscard]] std::vector<std::string> queues_of(std::size_t i, std::size_t n) const;
    /// How many of the queues get each message.
    [[nodiscard]] std::size_t copies() const;

private:
    [[nodiscard]] asio::awaitable<void> declare_all();
    [[nodiscard]] const std::string& key_of(const std::string& queue) const;

    const options& options_;
    std::vector<std::string> queues_; // names are empty until the broker has made them up
    leveret::amqp::connection connection_;
    leveret::amqp::channel channel_;
};

} // namespace perf
