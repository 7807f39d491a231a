// Messages with MessagePack in them: a codec of one's own says how a class is written and read, and what the messages'
// content type is. What does not decode is a decode_error, and its message is rejected.
//
//   msgpack [--transport URL]     memory://demo if not told otherwise, or amqp://guest:guest@localhost/
#include <leveret/connect.hpp>
#include <leveret/core/codec.hpp>

#include <nlohmann/json.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/use_future.hpp>

#include <cstddef>
#include <exception>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lv = leveret;

namespace {

struct quote {
    std::string symbol;
    double price = 0;
};

} // namespace

template <>
struct leveret::codec<quote> {
    static constexpr std::string_view content_type = "application/vnd.msgpack";
    static constexpr std::size_t max_size = 1024; ///< from_msgpack calls itself for each level of a body

    static payload encode(const quote& q)
    {
        const auto bytes = nlohmann::json::to_msgpack({{"symbol", q.symbol}, {"price", q.price}});
        return payload(std::as_bytes(std::span(bytes)));
    }
    static quote decode(std::string_view body)
    {
        if (body.size() > max_size)
            throw_decode_error("a quote: too long");
        try {
            const auto fields = nlohmann::json::from_msgpack(body);
            return {fields.at("symbol").get<std::string>(), fields.at("price").get<double>()};
        } catch (const nlohmann::json::exception& e) {
            throw_decode_error(std::string("a quote: ") + e.what());
        }
    }
    /// The name that IANA has registered, and the one that was usual before.
    static bool accepts(std::string_view type)
    {
        return is_media_type(type, content_type) || is_media_type(type, "application/msgpack");
    }
};

namespace {

asio::awaitable<void> trade(std::string url)
{
    auto connection = co_await lv::connect(url);
    auto channel = co_await connection.open_channel();
    auto queue = co_await channel.declare_queue("", {.exclusive = true});

    const quote hare{"HARE", 12.5};
    co_await channel.publish("", queue.name(), lv::encode(hare));
    co_await channel.publish("", queue.name(), lv::message("no quote").content_type("application/msgpack"));
    co_await channel.publish("", queue.name(), lv::message("{}").content_type("application/json"));

    auto messages = co_await channel.consume(queue.name());
    for (int left = 3; left > 0; --left) {
        auto message = co_await messages.next();
        try {
            const auto q = lv::decode<quote>(*message);
            std::cout << q.symbol << " at " << q.price << '\n';
            message->ack();
        } catch (const lv::decode_error& e) {
            std::cout << "rejected: " << e.what() << '\n';
            message->reject(); // dropped, or sent to the queue's dead-letter exchange
        }
    }
    co_await connection.close();
}

} // namespace

int main(int argc, char** argv)
try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    if (!words.empty() && (words.size() != 2 || words[0] != "--transport")) {
        std::cerr << "Usage: msgpack [--transport URL]\n";
        return 2;
    }
    asio::io_context context;
    auto done = asio::co_spawn(context, trade(words.empty() ? "memory://demo" : words[1]), asio::use_future);
    context.run();
    done.get();
    return 0;
} catch (const std::exception& e) {
    std::cerr << "Error: " << e.what() << '\n';
    return 1;
}
