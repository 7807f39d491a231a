#pragma once

#include "leveret/broker/argument_text.hpp"
#include "leveret/broker/error.hpp"
#include "leveret/core/duration.hpp"
#include "leveret/core/table.hpp"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace leveret::broker {

/// What a full queue does with one more message (RabbitMQ: x-overflow).
enum class overflow_policy : std::uint8_t { drop_head, reject_publish, reject_publish_dlx };

/// What the arguments of a queue say, after they were checked.
struct queue_settings {
    static constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

    duration message_ttl = duration::never();
    duration expires = duration::never();
    std::size_t max_length = unlimited;
    std::size_t max_length_bytes = unlimited;
    overflow_policy overflow = overflow_policy::drop_head;
    std::optional<std::string> dead_letter_exchange;
    std::optional<std::string> dead_letter_routing_key;
    std::uint8_t max_priority = 0;
    bool single_active_consumer = false;
    bool quorum = false;
    std::optional<std::uint32_t> delivery_limit; ///< quorum: how often a message may come back
};

namespace detail {

/// Reads and checks x-arguments in the order and words of RabbitMQ 3.10 (rabbit_amqqueue:declare_args).
/// The longest time that RabbitMQ takes, in milliseconds: ten years.
inline constexpr std::int64_t longest_ms = 315'360'000'000;

class queue_arguments {
public:
    queue_arguments(const table& arguments, std::string_view what)
        : arguments_(arguments), what_(what)
    {
    }

    [[nodiscard]] result<queue_settings> read()
    {
        queue_settings s;
        if (const field_value* type = arguments_.find("x-queue-type")) {
            if (type->type() != field_type::string)
                return unacceptable("x-queue-type", *type);
            if (type->text() != "classic" && type->text() != "quorum")
                return invalid("x-queue-type",
                               "\"unsupported queue type '" + value_text(*type) + "'\"");
            s.quorum = type->text() == "quorum";
        }
        s.expires = milliseconds("x-expires", false);
        s.message_ttl = milliseconds("x-message-ttl", true);
        s.dead_letter_exchange = text("x-dead-letter-exchange");
        s.dead_letter_routing_key = text("x-dead-letter-routing-key");
        if (failure_.empty() && s.dead_letter_routing_key && !s.dead_letter_exchange)
            fail("x-dead-letter-routing-key", "routing_key_but_no_dlx_defined");
        s.max_length = size("x-max-length");
        s.max_length_bytes = size("x-max-length-bytes");
        s.max_priority = priority();
        overflow(s);
        mode();
        s.single_active_consumer = flag("x-single-active-consumer");
        if (const std::size_t most = size("x-delivery-limit"); most != queue_settings::unlimited)
            s.delivery_limit = static_cast<std::uint32_t>(most < 0xffffffffU ? most : 0xffffffffU);
        if (failure_.empty())
            refuse_of_other_type(s.quorum);
        if (!failure_.empty())
            return precondition_failed(failure_);
        return s;
    }

    /// The first argument that two declarations don't agree on, in RabbitMQ's words; empty if none.
    [[nodiscard]] static std::string difference(std::string_view what, const table& received,
                                                const table& current)
    {
        for (const std::string_view argument :
             {"x-expires", "x-message-ttl", "x-dead-letter-exchange", "x-dead-letter-routing-key",
              "x-max-length", "x-max-length-bytes", "x-max-priority", "x-overflow", "x-queue-mode",
              "x-single-active-consumer", "x-queue-type", "x-delivery-limit"})
            if (std::string text = argument_difference(argument, what, received, current);
                !text.empty())
                return is_classic_by_name(argument, received, current) ? std::string() : text;
        return {};
    }

private:
    /// A queue is classic if nothing else is said.
    [[nodiscard]] static bool is_classic_by_name(std::string_view argument, const table& received,
                                                 const table& current)
    {
        const auto type = [argument](const table& t) {
            const field_value* v = t.find(argument);
            return v == nullptr ? std::string_view("classic") : v->text();
        };
        return argument == "x-queue-type" && type(received) == "classic" && type(current) == "classic";
    }

    [[nodiscard]] std::string complaint(std::string_view argument, std::string_view why) const
    {
        std::string text = "invalid arg ";
        text += in_quotes(argument);
        text += " for ";
        text += what_;
        text += ": ";
        text += why;
        return text;
    }
    [[nodiscard]] error invalid(std::string_view argument, std::string_view why) const
    {
        return precondition_failed(complaint(argument, why));
    }
    [[nodiscard]] error unacceptable(std::string_view argument, const field_value& v) const
    {
        return invalid(argument, "{unacceptable_type," + std::string(type_name(v.type())) + "}");
    }
    void fail(std::string_view argument, std::string_view why)
    {
        if (failure_.empty())
            failure_ = complaint(argument, why);
    }
    /// An integer of any width, or nullptr if there is none or it is something else.
    const field_value* integer(std::string_view argument)
    {
        const field_value* v = arguments_.find(argument);
        if (v == nullptr || is_integer(v->type()))
            return v;
        fail(argument, "\"expected integer, got " + std::string(type_name(v->type())) + "\"");
        return nullptr;
    }
    duration milliseconds(std::string_view argument, bool may_be_zero)
    {
        const field_value* v = integer(argument);
        if (v == nullptr)
            return duration::never();
        if (v->integer() == 0 && !may_be_zero)
            fail(argument, "{value_zero,0}");
        if (v->integer() < 0)
            fail(argument, "{value_negative," + value_text(*v) + "}");
        if (v->integer() > longest_ms)
            fail(argument, "{value_too_large," + value_text(*v) + "}");
        return duration::milliseconds(v->integer());
    }
    std::size_t size(std::string_view argument)
    {
        const field_value* v = integer(argument);
        if (v == nullptr)
            return queue_settings::unlimited;
        if (v->integer() < 0)
            fail(argument, "{value_negative," + value_text(*v) + "}");
        return static_cast<std::size_t>(v->integer());
    }
    std::uint8_t priority()
    {
        const std::size_t highest = size("x-max-priority");
        if (highest == queue_settings::unlimited)
            return 0;
        if (highest > 255)
            fail("x-max-priority", "{max_value_exceeded," + std::to_string(highest) + "}");
        return static_cast<std::uint8_t>(highest);
    }
    std::optional<std::string> text(std::string_view argument)
    {
        const field_value* v = arguments_.find(argument);
        if (v == nullptr)
            return {};
        if (v->type() != field_type::string) {
            if (argument == "x-dead-letter-exchange" && failure_.empty()) // as RabbitMQ says it of exchanges
                failure_ = "invalid type " + in_quotes(type_name(v->type())) + " for arg " + in_quotes(argument) +
                           " in " + std::string(what_);
            fail(argument, "{unacceptable_type," + std::string(type_name(v->type())) + "}");
        }
        return std::string(v->text());
    }
    bool flag(std::string_view argument)
    {
        const field_value* v = arguments_.find(argument);
        if (v == nullptr)
            return false;
        const bool* set = v->as<bool>();
        if (set == nullptr)
            fail(argument, "{unacceptable_type," + std::string(type_name(v->type())) + "}");
        return set != nullptr && *set;
    }
    void overflow(queue_settings& s)
    {
        const std::optional<std::string> wanted = text("x-overflow");
        if (!wanted || *wanted == "drop-head")
            return;
        if (*wanted == "reject-publish")
            s.overflow = overflow_policy::reject_publish;
        else if (*wanted == "reject-publish-dlx")
            s.overflow = overflow_policy::reject_publish_dlx;
        else
            fail("x-overflow", "invalid_overflow");
    }
    void mode()
    {
        const std::optional<std::string> wanted = text("x-queue-mode");
        if (wanted && *wanted != "default" && *wanted != "lazy")
            fail("x-queue-mode", "\"unsupported queue mode '" + *wanted + "'\"");
    }
    void refuse_of_other_type(bool quorum)
    {
        const auto refuse = [this](std::string_view argument, std::string_view type) {
            if (failure_.empty() && arguments_.contains(argument))
                failure_ = "invalid arg " + in_quotes(argument) + " for " + std::string(what_) +
                           " of queue type " + std::string(type);
        };
        if (quorum) {
            refuse("x-max-priority", "rabbit_quorum_queue");
            refuse("x-queue-mode", "rabbit_quorum_queue");
        } else {
            refuse("x-delivery-limit", "rabbit_classic_queue");
        }
    }

    const table& arguments_;
    std::string_view what_;
    std::string failure_; // the first
};

} // namespace detail

} // namespace leveret::broker
