// What a transport is: the contract between those who bring messages from place to place (amqp, memory, any)
// and those who use them (rpc, notify, programs). Each part has a name of its own, so that a compiler says
// which part a type lacks; what the syntax can't say stands beside it in words.
#pragma once

#include "leveret/core/error.hpp"
#include "leveret/core/flush_report.hpp"
#include "leveret/core/message.hpp"
#include "leveret/core/options.hpp"
#include "leveret/core/publish_result.hpp"
#include "leveret/core/queue_info.hpp"
#include "leveret/core/returned_message.hpp"
#include "leveret/core/table.hpp"
#include "leveret/io/config.hpp"

#include <asio/any_io_executor.hpp>
#include <asio/awaitable.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace leveret {

namespace detail {

template <class A>
struct awaited;
template <class T>
struct awaited<asio::awaitable<T>> {
    using type = T;
};
template <class A>
using awaited_t = typename awaited<A>::type;

} // namespace detail

/// Something that is awaited for a `T`. It does its work when it is awaited, needs nothing of the call's
/// arguments by then, honours cancellation, and ends at its deadline with timeout_error at the latest.
template <class A, class T>
concept awaits = std::same_as<A, asio::awaitable<T>>;

/// The properties of a message where they lie: each looked up when asked for, empty or 0 when absent. Views
/// live as long as what they were asked of.
template <class P>
concept message_properties = requires(const P& p) {
    { p.has(property::headers) } -> std::same_as<bool>;
    { p.content_type() } -> std::same_as<std::string_view>;
    { p.content_encoding() } -> std::same_as<std::string_view>;
    { p.delivery_mode() } -> std::same_as<std::uint8_t>;
    { p.priority() } -> std::same_as<std::uint8_t>;
    { p.correlation_id() } -> std::same_as<std::string_view>;
    { p.reply_to() } -> std::same_as<std::string_view>;
    { p.expiration() } -> std::same_as<std::string_view>;
    { p.message_id() } -> std::same_as<std::string_view>;
    { p.timestamp() } -> std::same_as<timestamp>;
    { p.type() } -> std::same_as<std::string_view>;
    { p.user_id() } -> std::same_as<std::string_view>;
    { p.app_id() } -> std::same_as<std::string_view>;
};

/// What was received can be looked at. Views live as long as the delivery, `payload()` and `message()` for
/// themselves; a payload may travel to other threads.
template <class D>
concept readable_delivery = requires(const D& d) {
    { d.body() } -> std::same_as<std::string_view>;
    { d.payload() } -> std::same_as<payload>;
    { d.message() } -> std::same_as<message>;
    { d.properties() } -> message_properties;
    { d.headers() } -> std::convertible_to<table>;
    { d.exchange() } -> std::same_as<std::string_view>;
    { d.routing_key() } -> std::same_as<std::string_view>;
    { d.redelivered() } -> std::same_as<bool>;
    { d.delivery_tag() } -> std::same_as<std::uint64_t>;
};

/// It is settled once, without waiting: accepted (ack), released to its place in the queue (nack) or
/// rejected. `true` when that settled something; `false` when it was settled before, needs no settling, or
/// its channel has ended. `release()` gives up the requeue of one that is destroyed unsettled.
template <class D>
concept settled_once = requires(D& d) {
    { d.ack() } -> std::same_as<bool>;
    { d.ack(ack_options{}) } -> std::same_as<bool>;
    { d.nack() } -> std::same_as<bool>;
    { d.nack(nack_options{}) } -> std::same_as<bool>;
    { d.reject() } -> std::same_as<bool>;
    { d.is_settled() } -> std::same_as<bool>;
    { d.release() } -> std::same_as<std::uint64_t>;
};

/// A message from a queue. Move-only; one that is destroyed unsettled goes back to its queue.
template <class D>
concept delivery = std::movable<D> && !std::copyable<D> && readable_delivery<D> && settled_once<D>;

/// The deliveries of one consumer. `next()` is empty when the user cancelled it and all that had arrived was
/// handed out; it throws consumer_cancelled when the broker did, channel_error or connection_error when those
/// ended. A wait that is cancelled or times out loses nothing. Destroyed it cancels itself, and what it had
/// not handed out goes back.
template <class S>
concept delivery_stream = std::movable<S> && requires(S& s) {
    { s.next() };
    requires delivery<typename detail::awaited_t<decltype(s.next())>::value_type>;
    { s.next(next_options{}) } -> std::same_as<decltype(s.next())>;
    { s.try_next() } -> std::same_as<detail::awaited_t<decltype(s.next())>>;
    { s.cancel(call_options{}) } -> awaits<void>;
    { s.tag() } -> std::convertible_to<std::string_view>;
};

// The parts of a channel.

template <class C>
concept declares_exchanges = requires(C& c, std::string_view name) {
    { c.declare_exchange(name, exchange_type::topic, exchange_options{}) } -> awaits<void>;
    { c.delete_exchange(name, delete_exchange_options{}) } -> awaits<void>;
    { c.bind_exchange(name, name, name, bind_options{}) } -> awaits<void>;
    { c.unbind_exchange(name, name, name, bind_options{}) } -> awaits<void>;
};

template <class C>
concept declares_queues = requires(C& c, std::string_view name) {
    { c.declare_queue(name, queue_options{}) } -> awaits<queue_info>;
    { c.delete_queue(name, delete_queue_options{}) } -> awaits<std::uint32_t>;
    { c.purge_queue(name, call_options{}) } -> awaits<std::uint32_t>;
    { c.bind_queue(name, name, name, bind_options{}) } -> awaits<void>;
    { c.unbind_queue(name, name, name, bind_options{}) } -> awaits<void>;
};

/// `publish` completes when the message is on its way, and suspends only while there is no room; that the
/// broker has it only `publish_confirmed` tells. Both throw usage_error at once for what can't be carried.
/// A message is published whole or not at all.
template <class C>
concept publishes = requires(C& c, std::string_view name, const message& m) {
    { c.publish(name, name, name, publish_options{}) } -> awaits<void>;
    { c.publish(name, name, m, publish_options{}) } -> awaits<void>;
    { c.try_publish(name, name, name, publish_options{}) } -> std::same_as<bool>;
    { c.try_publish(name, name, m, publish_options{}) } -> std::same_as<bool>;
    { c.publish_confirmed(name, name, name, confirmed_publish_options{}) } -> awaits<publish_result>;
    { c.publish_confirmed(name, name, m, confirmed_publish_options{}) } -> awaits<publish_result>;
    { c.select_confirms(call_options{}) } -> awaits<void>;
    { c.next_return(next_options{}) } -> awaits<returned_message>;
    { c.flow_active() } -> std::same_as<bool>;
};

/// `prefetch` is credit: deliveries of a consumer, or with `global` of the channel, that may be unsettled.
template <class C>
concept consumes = requires(C& c, std::string_view queue) {
    { c.consume(queue, consume_options{}) };
    requires delivery_stream<detail::awaited_t<decltype(c.consume(queue, consume_options{}))>>;
    { c.get(queue, get_options{}) };
    requires delivery<typename detail::awaited_t<decltype(c.get(queue, get_options{}))>::value_type>;
    { c.set_prefetch(std::uint16_t{1}, true, call_options{}) } -> awaits<void>;
    { c.recover(true, call_options{}) } -> awaits<void>;
};

/// Settles by tag what `release` gave up.
template <class C>
concept settles_by_tag = requires(C& c, std::uint64_t tag) {
    { c.ack(tag, ack_options{}) } -> std::same_as<bool>;
    { c.nack(tag, nack_options{}) } -> std::same_as<bool>;
    { c.reject(tag) } -> std::same_as<bool>;
};

/// Publishes and settlements take effect together at commit.
template <class C>
concept has_transactions = requires(C& c) {
    { c.select_transactions(call_options{}) } -> awaits<void>;
    { c.commit(call_options{}) } -> awaits<void>;
    { c.rollback(call_options{}) } -> awaits<void>;
};

/// A cheap handle: copies are the same channel. It ends when it is closed, when its connection ends, or when
/// the broker closes it for an error: then every operation on it throws channel_error with the broker's
/// reply code and text, and other channels go on.
template <class C>
concept channel = std::copyable<C> && declares_exchanges<C> && declares_queues<C> && publishes<C> &&
                  consumes<C> && settles_by_tag<C> && has_transactions<C> && requires(C& c) {
                      { c.number() } -> std::same_as<std::uint16_t>;
                      { c.is_open() } -> std::same_as<bool>;
                      { c.get_executor() } -> std::same_as<asio::any_io_executor>;
                      { c.close(call_options{}) } -> awaits<void>;
                  };

/// Publishes with confirmations, a window of messages at a time, and remembers what was not confirmed until `flush` or
/// `report` tells. Made from a channel and publisher_options. `publish` gives the message's number on this publisher.
template <class P>
concept publisher = std::movable<P> && requires(P& p, std::string_view name, const message& m) {
    { p.publish(name, name, name) } -> awaits<std::uint64_t>;
    { p.publish(name, name, m) } -> awaits<std::uint64_t>;
    { p.flush() } -> awaits<flush_report>;
    { p.flush(default_timeout) } -> awaits<flush_report>;
    { p.report() } -> std::same_as<flush_report>;
    { p.in_flight() } -> std::same_as<std::size_t>;
    { p.bytes_in_flight() } -> std::same_as<std::size_t>;
    { p.confirmed() } -> std::same_as<std::uint64_t>;
    { p.unconfirmed() } -> std::same_as<std::vector<std::uint64_t>>;
};

/// A connection to a broker. Belongs to one executor, as does all that comes from it; destroyed it closes in
/// the background. When it ends everything that waits on it fails at once with connection_error.
template <class T>
concept transport = std::movable<T> && requires(T& t) {
    { t.open_channel(call_options{}) };
    requires channel<detail::awaited_t<decltype(t.open_channel(call_options{}))>>;
    { t.close(call_options{}) } -> awaits<void>;
    { t.is_open() } -> std::same_as<bool>;
    { t.is_blocked() } -> std::same_as<bool>;
    { t.get_executor() } -> std::same_as<asio::any_io_executor>;
};

/// The channel of a transport, the stream of a channel, the delivery of a stream.
template <transport T>
using channel_of = detail::awaited_t<decltype(std::declval<T&>().open_channel(call_options{}))>;
template <channel C>
using stream_of = detail::awaited_t<decltype(std::declval<C&>().consume(std::string_view(), consume_options{}))>;
template <delivery_stream S>
using delivery_of = typename detail::awaited_t<decltype(std::declval<S&>().next())>::value_type;
/// The publisher of a channel: `publisher_of<Channel> out(channel, {.window = 100})`. Its header must be included.
template <channel C>
using publisher_of = typename C::publisher_type;

} // namespace leveret
