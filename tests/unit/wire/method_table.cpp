// The methods, constants and properties of the code against RabbitMQ's machine-readable specification,
// line by line. The file is not part of the repository: LEVERET_TEST_REFERENCE names its directory, else
// it is looked for beside the repository. Where it is absent, the test says so and compares nothing.
#include <leveret/core/properties.hpp>
#include <leveret/core/reply_code.hpp>
#include <leveret/engine/client.hpp>
#include <leveret/wire/content_header.hpp>
#include <leveret/wire/method.hpp>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>

namespace fs = std::filesystem;
namespace wire = leveret::wire;
using nlohmann::json;

namespace {

std::optional<json> specification()
{
    const char* name = "amqp-rabbitmq-0.9.1.json";
    fs::path directory;
    if (const char* told = std::getenv("LEVERET_TEST_REFERENCE")) {
        directory = told;
    } else {
        // Meson compiles with paths relative to the build directory, where this program is in tests/.
        const fs::path source = fs::read_symlink("/proc/self/exe").parent_path().parent_path() / __FILE__;
        directory = source.lexically_normal() / "../../../../../shared/reference";
    }
    std::ifstream file(directory.lexically_normal() / name);
    if (!file) {
        MESSAGE("not compared with the specification: there is no "
                << (directory.lexically_normal() / name).string());
        return {};
    }
    return json::parse(file);
}

std::string number(auto v) { return std::to_string(v); }

/// A method as a line of text: ids, name, and each field with type and default.
struct line_visitor {
    std::string line;
    void add(std::string_view name, std::string_view type, std::string_view value)
    {
        line += "\n    ";
        line += name;
        line += ": ";
        line += type;
        line += " = ";
        line += value;
    }
    void operator()(std::string_view name, const std::uint8_t& v) { add(name, "octet", number(v)); }
    void operator()(std::string_view name, const std::uint16_t& v) { add(name, "short", number(v)); }
    void operator()(std::string_view name, const std::uint32_t& v) { add(name, "long", number(v)); }
    void operator()(std::string_view name, const std::uint64_t& v) { add(name, "longlong", number(v)); }
    void operator()(std::string_view name, const bool& v) { add(name, "bit", v ? "true" : "false"); }
    void operator()(std::string_view name, const std::string_view& v) { add(name, "shortstr", v); }
    void operator()(std::string_view name, const wire::long_string& v) { add(name, "longstr", v.text); }
    void operator()(std::string_view name, const wire::table_view& v) { add(name, "table", v.encoded); }
};

std::string first_line(int class_id, int method_id, std::string_view name, bool has_content)
{
    return std::to_string(class_id) + "." + std::to_string(method_id) + " " + std::string(name) +
           (has_content ? " with content" : "");
}

template <class Method>
std::string line_of()
{
    line_visitor visitor{first_line(Method::id.class_id, Method::id.method, Method::name,
                                    wire::has_content<Method>)};
    const Method m;
    Method::fields(m, visitor);
    return visitor.line;
}

std::map<std::string, std::string> domains_of(const json& spec)
{
    std::map<std::string, std::string> domains;
    for (const json& item : spec["domains"])
        domains[item[0]] = item[1];
    return domains;
}

/// What the value is where the specification gives none.
std::string zero_of(const std::string& type)
{
    if (type == "bit")
        return "false";
    return type == "shortstr" || type == "longstr" || type == "table" ? "" : "0";
}

std::string line_of(const json& spec_class, const json& method,
                    const std::map<std::string, std::string>& domains)
{
    const std::string name =
        spec_class["name"].get<std::string>() + "." + method["name"].get<std::string>();
    line_visitor visitor{first_line(spec_class["id"], method["id"], name, method.value("content", false))};
    for (const json& argument : method["arguments"]) {
        const std::string type = domains.at(argument.contains("type")
                                                ? argument["type"].get<std::string>()
                                                : argument["domain"].get<std::string>());
        std::string value = zero_of(type);
        if (argument.contains("default-value")) {
            const json& given = argument["default-value"];
            if (given.is_string())
                value = given;
            else if (!given.is_object())
                value = given.dump();
        }
        visitor.add(argument["name"].get<std::string>(), type, value);
    }
    return visitor.line;
}

} // namespace

TEST_CASE("wire: the methods are those of the specification, field by field")
{
    const auto spec = specification();
    if (!spec)
        return;
    const auto domains = domains_of(*spec);
    std::set<std::string> wanted;
    for (const json& spec_class : (*spec)["classes"])
        for (const json& method : spec_class["methods"])
            wanted.insert(line_of(spec_class, method, domains));
    CHECK(wanted.size() == wire::all_methods::size);
    CHECK(wanted.size() > 60); // an empty file would hold nothing

    std::set<std::string> have;
    wire::all_methods::for_each([&]<class Method>() { have.insert(line_of<Method>()); });
    for (const std::string& line : wanted) {
        CAPTURE(line);
        CHECK_MESSAGE(have.contains(line), "in the specification, not in the code");
    }
    for (const std::string& line : have) {
        CAPTURE(line);
        CHECK_MESSAGE(wanted.contains(line), "in the code, not in the specification");
    }
}

TEST_CASE("wire: the answers that the engine knows are those of the specification's requests")
{
    const auto spec = specification();
    if (!spec)
        return;
    // Answered, but elsewhere: not on a channel, with content, or by the channel's own end.
    const std::set<std::string> others{"access.request-ok", "basic.get-ok", "channel.close-ok"};
    std::size_t requests = 0;
    for (const json& spec_class : (*spec)["classes"]) {
        if (spec_class["name"] == "connection")
            continue;
        for (const json& method : spec_class["methods"]) {
            if (!method.value("synchronous", false))
                continue;
            const std::string answer = spec_class["name"].get<std::string>() + "." +
                                       method["name"].get<std::string>() + "-ok";
            CAPTURE(answer);
            bool is_known = others.contains(answer);
            leveret::engine::detail::channel_answers::for_each(
                [&]<class Answer>() { is_known = is_known || Answer::name == answer; });
            CHECK(is_known);
            ++requests;
        }
    }
    // And basic.get has a second answer, basic.get-empty.
    CHECK(requests + 1 - others.size() == leveret::engine::detail::channel_answers::size);
}

TEST_CASE("wire: the constants are those of the specification")
{
    const auto spec = specification();
    if (!spec)
        return;
    const std::map<std::string, unsigned> framing{
        {"FRAME-METHOD", static_cast<unsigned>(wire::frame_type::method)},
        {"FRAME-HEADER", static_cast<unsigned>(wire::frame_type::header)},
        {"FRAME-BODY", static_cast<unsigned>(wire::frame_type::body)},
        {"FRAME-HEARTBEAT", static_cast<unsigned>(wire::frame_type::heartbeat)},
        {"FRAME-MIN-SIZE", wire::frame_min_size},
        {"FRAME-END", wire::frame_end},
    };
    std::set<unsigned> reply_codes;
    for (const json& constant : (*spec)["constants"]) {
        std::string name = constant["name"];
        const unsigned value = constant["value"];
        CAPTURE(name);
        if (const auto known = framing.find(name); known != framing.end()) {
            CHECK(known->second == value);
            continue;
        }
        std::replace(name.begin(), name.end(), '-', '_');
        const auto code = static_cast<leveret::reply_code>(value);
        CHECK(leveret::name(code) == name);
        CHECK(is_hard(code) == (constant.value("class", "") == "hard-error"));
        reply_codes.insert(value);
    }
    for (unsigned value = 0; value < 1000; ++value) {
        CAPTURE(value);
        CHECK((leveret::name(static_cast<leveret::reply_code>(value)) != "UNKNOWN") ==
              reply_codes.contains(value));
    }
    CHECK(reply_codes.size() == 19);
    CHECK(wire::protocol_header.substr(0, 4) == (*spec)["name"].get<std::string>());
    CHECK(wire::protocol_header[5] == (*spec)["major-version"].get<char>());
    CHECK(wire::protocol_header[6] == (*spec)["minor-version"].get<char>());
    CHECK(wire::protocol_header[7] == (*spec)["revision"].get<char>());
}

TEST_CASE("wire: the properties are those of the specification, in its order")
{
    const auto spec = specification();
    if (!spec)
        return;
    using leveret::property;
    using wire::detail::property_kind;
    const std::map<std::string, property> names{
        {"content-type", property::content_type},
        {"content-encoding", property::content_encoding},
        {"headers", property::headers},
        {"delivery-mode", property::delivery_mode},
        {"priority", property::priority},
        {"correlation-id", property::correlation_id},
        {"reply-to", property::reply_to},
        {"expiration", property::expiration},
        {"message-id", property::message_id},
        {"timestamp", property::timestamp},
        {"type", property::type},
        {"user-id", property::user_id},
        {"app-id", property::app_id},
        {"cluster-id", property::cluster_id},
    };
    const std::map<std::string, property_kind> kinds{{"shortstr", property_kind::short_text},
                                                     {"octet", property_kind::octet},
                                                     {"table", property_kind::table},
                                                     {"timestamp", property_kind::seconds}};
    for (const json& spec_class : (*spec)["classes"]) {
        if (spec_class["name"] != "basic")
            continue;
        CHECK(spec_class["id"] == wire::basic_class);
        unsigned place = 0;
        for (const json& item : spec_class["properties"]) {
            const std::string name = item["name"];
            CAPTURE(name);
            REQUIRE(place < std::size(wire::detail::property_kinds));
            CHECK(static_cast<unsigned>(names.at(name)) == 1U << (15U - place));
            CHECK(wire::detail::property_kinds[place] == kinds.at(item["type"]));
            ++place;
        }
        CHECK(place == std::size(wire::detail::property_kinds));
    }
}
