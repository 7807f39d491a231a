// A type of exchange of one's own: a policy is its name and a router, and a broker takes it in its list, the one in
// this process and the AMQP server alike.
//
// Here the longest prefix wins, as for telephone numbers or IP routes: a message goes to the bindings whose key
// is the longest beginning of its routing key.
#include <leveret/connect.hpp>
#include <leveret/memory.hpp>
#include <leveret/server.hpp>

#include <asio/co_spawn.hpp>
#include <asio/io_context.hpp>
#include <asio/this_coro.hpp>
#include <asio/use_future.hpp>

#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace lv = leveret;

namespace {

struct longest_prefix {
    static constexpr std::string_view name = "x-longest-prefix";

    /// Optional: why a binding makes no sense; the broker answers 406 with it.
    static std::string refusal(std::string_view prefix, const lv::table&)
    {
        return prefix.find('*') == prefix.npos ? "" : "a prefix has no wildcards";
    }
    class router {
    public:
        void add(std::string_view prefix, const lv::table&, lv::routing::binding& b)
        {
            prefixes_[std::string(prefix)].add(b);
        }
        void remove(std::string_view prefix, const lv::table&, lv::routing::binding& b) noexcept
        {
            const auto at = prefixes_.find(prefix);
            at->second.remove(b);
            if (at->second.empty())
                prefixes_.erase(at);
        }
        void route(std::string_view key, const lv::table&, auto&& visit) const
        {
            for (std::size_t n = key.size() + 1; n-- > 0;)
                if (const auto at = prefixes_.find(key.substr(0, n)); at != prefixes_.end())
                    return at->second.visit(visit);
        }

    private:
        std::map<std::string, lv::routing::target_list, std::less<>> prefixes_;
    };
};

using own_core = lv::broker::basic_core<lv::broker::default_policies::with<longest_prefix>>;

asio::awaitable<void> calls(std::string url)
{
    auto connection = co_await lv::connect(url);
    auto channel = co_await connection.open_channel();
    co_await channel.declare_exchange("calls", longest_prefix::name);
    for (const char* prefix : {"+49", "+4930", "+1"}) {
        co_await channel.declare_queue(prefix);
        co_await channel.bind_queue(prefix, "calls", prefix);
    }
    for (const char* number : {"+49301234567", "+49891234567", "+12025550123"}) {
        co_await channel.publish("calls", number, "ring");
        for (const char* queue : {"+49", "+4930", "+1"})
            if (auto call = co_await channel.get(queue, {.no_ack = true}))
                std::cout << call->routing_key() << " goes by " << queue << '\n';
    }
    co_await connection.close();
}

asio::awaitable<void> both()
{
    std::cout << "in memory:\n";
    const auto broker = lv::memory::broker::with<own_core>("operator");
    co_await calls("memory://operator");

    std::cout << "over AMQP:\n";
    const lv::broker::server_with<own_core> server{co_await asio::this_coro::executor}; // on a free port
    co_await calls("amqp://guest:guest@127.0.0.1:" + std::to_string(server.port()) + "/");
}

} // namespace

int main()
{
    asio::io_context context;
    auto done = asio::co_spawn(context, both(), asio::use_future);
    context.run();
    done.get();
}
