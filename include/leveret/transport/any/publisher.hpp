#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/flush_report.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/transport/concept.hpp"

#include <asio/awaitable.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret {

class any_channel;

namespace detail {

/// The publisher in an any_publisher.
class publisher_model {
public:
    virtual ~publisher_model() = default;
    [[nodiscard]] virtual asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                                 std::string_view routing_key,
                                                                 std::string_view body) = 0;
    [[nodiscard]] virtual asio::awaitable<std::uint64_t> publish(std::string_view exchange,
                                                                 std::string_view routing_key,
                                                                 const message& m) = 0;
    [[nodiscard]] virtual asio::awaitable<flush_report> flush() = 0;
    [[nodiscard]] virtual asio::awaitable<flush_report> flush(duration timeout) = 0;
    [[nodiscard]] virtual flush_report report() = 0;
    [[nodiscard]] virtual std::size_t in_flight() const = 0;
    [[nodiscard]] virtual std::size_t bytes_in_flight() const = 0;
    [[nodiscard]] virtual std::vector<std::uint64_t> unconfirmed() const = 0;
    [[nodiscard]] virtual std::uint64_t confirmed() const = 0;
};

template <publisher P>
class publisher_model_of final : public publisher_model {
public:
    template <class Channel>
    publisher_model_of(const Channel& c, publisher_options o) : publisher_(c, o)
    {
    }
    asio::awaitable<std::uint64_t> publish(std::string_view exchange, std::string_view routing_key,
                                           std::string_view body) override
    {
        return publisher_.publish(exchange, routing_key, body);
    }
    asio::awaitable<std::uint64_t> publish(std::string_view exchange, std::string_view routing_key,
                                           const message& m) override
    {
        return publisher_.publish(exchange, routing_key, m);
    }
    asio::awaitable<flush_report> flush() override { return publisher_.flush(); }
    asio::awaitable<flush_report> flush(duration timeout) override { return publisher_.flush(timeout); }
    flush_report report() override { return publisher_.report(); }
    std::size_t in_flight() const override { return publisher_.in_flight(); }
    std::size_t bytes_in_flight() const override { return publisher_.bytes_in_flight(); }
    std::vector<std::uint64_t> unconfirmed() const override { return publisher_.unconfirmed(); }
    std::uint64_t confirmed() const override { return publisher_.confirmed(); }

private:
    P publisher_;
};

} // namespace detail

/// Publishes with confirmations on a channel of any transport, many at a time: each function as amqp::publisher's.
/// Not copyable. Thread safety: its connection's executor.
class any_publisher {
public:
    /// Throws usage_error for a window that can't be, a channel in a transaction, or a transport that has no
    /// publishers (errc::not_supported).
    explicit any_publisher(const any_channel& c, publisher_options o = {});
    any_publisher(any_publisher&&) noexcept = default;
    any_publisher& operator=(any_publisher&&) noexcept = default;

    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange, std::string_view routing_key,
                                                         std::string_view body)
    {
        return model().publish(exchange, routing_key, body);
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange, std::string_view routing_key,
                                                         std::span<const std::byte> body)
    {
        return publish(exchange, routing_key,
                       std::string_view(reinterpret_cast<const char*>(body.data()), body.size()));
    }
    [[nodiscard]] asio::awaitable<std::uint64_t> publish(std::string_view exchange, std::string_view routing_key,
                                                         const message& m)
    {
        return model().publish(exchange, routing_key, m);
    }
    [[nodiscard]] asio::awaitable<flush_report> flush() { return model().flush(); }
    [[nodiscard]] asio::awaitable<flush_report> flush(duration timeout) { return model().flush(timeout); }
    [[nodiscard]] flush_report report() { return model().report(); }
    [[nodiscard]] std::size_t in_flight() const { return model_ ? model_->in_flight() : 0; }
    [[nodiscard]] std::size_t bytes_in_flight() const { return model_ ? model_->bytes_in_flight() : 0; }
    [[nodiscard]] std::vector<std::uint64_t> unconfirmed() const { return model().unconfirmed(); }
    [[nodiscard]] std::uint64_t confirmed() const { return model_ ? model_->confirmed() : 0; }

private:
    [[nodiscard]] detail::publisher_model& model() const
    {
        if (!model_)
            throw_invalid_argument("a publisher that was moved from");
        return *model_;
    }

    std::unique_ptr<detail::publisher_model> model_;
};

static_assert(publisher<any_publisher>);

} // namespace leveret
