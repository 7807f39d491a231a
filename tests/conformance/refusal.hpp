// How a broker refuses, as a value: what it closed, with which code and words, because of which method.
#pragma once

#include <leveret/core/error.hpp>

#include <asio/awaitable.hpp>

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

namespace leveret::test {

/// Class and method ids of what was refused.
struct method_ids {
    std::uint16_t class_id = 0;
    std::uint16_t method_id = 0;
    friend bool operator==(const method_ids&, const method_ids&) = default;
};
namespace ids {
inline constexpr method_ids channel_flow{20, 20};
inline constexpr method_ids exchange_declare{40, 10};
inline constexpr method_ids exchange_delete{40, 20};
inline constexpr method_ids exchange_bind{40, 30};
inline constexpr method_ids exchange_unbind{40, 40};
inline constexpr method_ids queue_declare{50, 10};
inline constexpr method_ids queue_bind{50, 20};
inline constexpr method_ids queue_purge{50, 30};
inline constexpr method_ids queue_delete{50, 40};
inline constexpr method_ids queue_unbind{50, 50};
inline constexpr method_ids basic_consume{60, 20};
inline constexpr method_ids basic_publish{60, 40};
inline constexpr method_ids basic_get{60, 70};
inline constexpr method_ids basic_ack{60, 80};
inline constexpr method_ids basic_recover{60, 110};
inline constexpr method_ids confirm_select{85, 10};
inline constexpr method_ids tx_select{90, 10};
inline constexpr method_ids tx_commit{90, 20};
inline constexpr method_ids tx_rollback{90, 30};
} // namespace ids

class refusal {
public:
    enum class level { nothing, channel, connection, other };

    refusal() = default;
    refusal(level l, int code, std::string text, method_ids ids)
        : level_(l), code_(code), text_(std::move(text)), ids_(ids)
    {
    }
    refusal(level l, const leveret::error& e)
        : refusal(l, e.diagnostics().code, e.diagnostics().text,
                  {e.diagnostics().class_id, e.diagnostics().method_id})
    {
        if (l == level::other)
            text_ = e.what();
    }

    [[nodiscard]] level closed() const noexcept { return level_; }
    [[nodiscard]] int code() const noexcept { return code_; }
    [[nodiscard]] const std::string& text() const noexcept { return text_; }

    friend bool operator==(const refusal&, const refusal&) = default;
    friend std::ostream& operator<<(std::ostream& out, const refusal& r)
    {
        constexpr const char* levels[] = {"no refusal", "channel", "connection", "other error"};
        return out << levels[static_cast<int>(r.level_)] << " " << r.code_ << " \"" << r.text_ << "\" ["
                   << r.ids_.class_id << "." << r.ids_.method_id << "]";
    }

private:
    level level_ = level::nothing;
    int code_ = 0;
    std::string text_;
    method_ids ids_;
};

/// `CHECK(e == closes_channel(404, "NOT_FOUND - ...", ids::queue_declare))`.
[[nodiscard]] inline refusal closes_channel(int code, std::string text, method_ids ids)
{
    return {refusal::level::channel, code, std::move(text), ids};
}
[[nodiscard]] inline refusal closes_connection(int code, std::string text, method_ids ids)
{
    return {refusal::level::connection, code, std::move(text), ids};
}
[[nodiscard]] inline refusal no_queue(const std::string& name, method_ids ids)
{
    return closes_channel(404, "NOT_FOUND - no queue '" + name + "' in vhost '/'", ids);
}
[[nodiscard]] inline refusal no_exchange(const std::string& name, method_ids ids)
{
    return closes_channel(404, "NOT_FOUND - no exchange '" + name + "' in vhost '/'", ids);
}
[[nodiscard]] inline refusal locked_queue(const std::string& name, method_ids ids)
{
    return closes_channel(405,
                          "RESOURCE_LOCKED - cannot obtain exclusive access to locked queue '" + name +
                              "' in vhost '/'. It could be originally declared on another connection or "
                              "the exclusive property value does not match that of the original "
                              "declaration.",
                          ids);
}
[[nodiscard]] inline refusal precondition_failed(const std::string& text, method_ids ids)
{
    return closes_channel(406, "PRECONDITION_FAILED - " + text, ids);
}
[[nodiscard]] inline refusal access_refused(const std::string& text, method_ids ids)
{
    return closes_channel(403, "ACCESS_REFUSED - " + text, ids);
}

/// How the broker refuses `operation`.
template <class T>
[[nodiscard]] asio::awaitable<refusal> refused(asio::awaitable<T> operation)
{
    refusal result;
    try {
        static_cast<void>(co_await std::move(operation));
    } catch (const channel_error& e) {
        result = refusal(refusal::level::channel, e);
    } catch (const connection_error& e) {
        result = refusal(refusal::level::connection, e);
    } catch (const leveret::error& e) {
        result = refusal(refusal::level::other, e);
    }
    co_return result;
}

/// How the broker refuses a message, of which the channel or connection tells later.
template <class Channel, class Message>
[[nodiscard]] asio::awaitable<refusal> refused_publish(Channel channel, std::string exchange,
                                                       std::string key, Message message)
{
    co_await channel.publish(exchange, key, message);
    co_return co_await refused(channel.next_return({.timeout = duration::seconds(5)}));
}

} // namespace leveret::test
