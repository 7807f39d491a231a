// Everything that decodes works in constant expressions, where the compiler refuses any read past the
// end and any allocation: that it compiles is the proof.
#include <leveret/wire/content_header.hpp>
#include <leveret/wire/frame.hpp>
#include <leveret/wire/method.hpp>
#include <leveret/wire/table_codec.hpp>

#include <doctest/doctest.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

using namespace leveret::wire;
using leveret::property;
using leveret::protocol_errc;

namespace {

// A value that differs in every octet and from the defaults, so that a swap of two fields shows.
struct numbering_visitor {
    unsigned char next = 0x91;
    bool bit = true;
    constexpr void operator()(std::string_view, auto& v)
    {
        v = 0;
        for (std::size_t i = 0; i < sizeof(v); ++i)
            v = static_cast<std::remove_reference_t<decltype(v)>>(std::uint64_t{v} << 8U | next++);
    }
    constexpr void operator()(std::string_view, bool& v)
    {
        v = bit;
        bit = !bit;
    }
    constexpr void operator()(std::string_view name, std::string_view& v) { v = name; }
    constexpr void operator()(std::string_view name, long_string& v) { v.text = name; }
    constexpr void operator()(std::string_view name, table_view& v) { v.encoded = name; }
};

template <method Method>
constexpr bool comes_back(const Method& sent)
{
    std::array<char, 512> memory{};
    writer out(memory.data(), frame_size(sent));
    encode_frame(out, 0xfffe, sent);
    if (!out.ok() || out.size() != frame_size(sent) || !fits(sent))
        return false;
    const frame_view frame = parse_frame({memory.data(), memory.size()}, frame_min_size);
    if (frame.size != out.size() || frame.type != frame_type::method || frame.channel != 0xfffe)
        return false;
    reader in(frame.payload);
    if (in.u16() != Method::id.class_id || in.u16() != Method::id.method)
        return false;
    return decode<Method>(in) == sent && in.ok() && in.remaining() == 0;
}

template <method Method>
constexpr bool comes_back_filled()
{
    Method sent;
    numbering_visitor visitor;
    Method::fields(sent, visitor);
    return comes_back(sent);
}

constexpr bool every_method_comes_back()
{
    bool all = true;
    all_methods::for_each([&]<class Method>() {
        all = all && comes_back(Method{}) && comes_back_filled<Method>();
        all = all && all_methods::name(Method::id) == Method::name;
    });
    return all;
}
static_assert(every_method_comes_back());
static_assert(all_methods::name({60, 41}).empty() && all_methods::name({}).empty());

constexpr leveret::protocol_errc decode_publish(std::string_view arguments)
{
    reader in(arguments);
    static_cast<void>(decode<basic::publish>(in));
    return in.error();
}
static_assert(decode_publish({"\0\0\1x\1y\1", 7}) == protocol_errc::none);
static_assert(decode_publish({"\0\0\1x\1y\1z", 8}) == protocol_errc::trailing_bytes);
static_assert(decode_publish({"\0\0\1x\1y", 6}) == protocol_errc::malformed_arguments);
static_assert(decode_publish({"\0\0\1x\xffy\1", 7}) == protocol_errc::malformed_arguments);

using namespace std::string_view_literals;

constexpr protocol_errc check(std::string_view encoded, std::uint32_t depth = 2)
{
    return check_table({encoded}, depth);
}
static_assert(check("") == protocol_errc::none);
static_assert(check("\1at\1\1bI\0\0\0\2"sv) == protocol_errc::none);
static_assert(check("\1aF\0\0\0\x0c\1aA\0\0\0\5F\0\0\0\0"sv) == protocol_errc::table_depth);
static_assert(check("\1aF\0\0\0\x0d\1aA\0\0\0\5F\0\0\0\0"sv) == protocol_errc::malformed_table);
static_assert(check("\1aF\0\0\0\x0c\1aA\0\0\0\5F\0\0\0\0"sv, 3) == protocol_errc::none);
static_assert(check("\1aS\xff\xff\xff\xff"sv) == protocol_errc::malformed_table);
static_assert(check("\1aq\0"sv) == protocol_errc::field_type);

constexpr bool a_header_is_read()
{
    constexpr std::string_view payload = "\0\x3c\0\0\0\0\0\0\0\0\0\5\xb8\4\2ab\0\0\0\3\1kV\2\7\1c"sv;
    content_header header;
    if (parse_content_header(payload, 1, header) != protocol_errc::none || header.body_size != 5)
        return false;
    const properties_view p = header.properties;
    return p.content_type() == "ab" && p.headers().encoded == "\1kV" && p.delivery_mode() == 2 &&
           p.priority() == 7 && p.cluster_id() == "c" && !p.has(property::app_id) &&
           p.app_id().empty() && p.content_encoding().empty() && p.correlation_id().empty() &&
           p.reply_to().empty() && p.expiration().empty() && p.message_id().empty() &&
           p.timestamp().seconds == 0 && p.type().empty() && p.user_id().empty();
}
static_assert(a_header_is_read());

constexpr bool headers_cut_short_are_refused()
{
    constexpr std::string_view payload = "\0\x3c\0\0\0\0\0\0\0\0\0\5\x80\0\2ab"sv;
    content_header header;
    for (std::size_t n = 0; n < payload.size(); ++n)
        if (parse_content_header(payload.substr(0, n), 1, header) != protocol_errc::malformed_header)
            return false;
    return true;
}
static_assert(headers_cut_short_are_refused());

constexpr frame_view look(std::string_view input) { return parse_frame(input, frame_min_size); }
static_assert(look(heartbeat_frame).size == 8 && look(heartbeat_frame).payload.empty());
static_assert(look("\1\0\0\x7f\xff\xff\xff"sv).error == protocol_errc::frame_too_large);
static_assert(look("\1\0\0\xff\xff\xff\xff"sv).error == protocol_errc::frame_too_large);
static_assert(look(protocol_header).error == protocol_errc::protocol_header);

} // namespace

TEST_CASE("wire: encoding and decoding work in constant expressions")
{
    CHECK(every_method_comes_back()); // and at run time
    CHECK(a_header_is_read());
    CHECK(headers_cut_short_are_refused());
}
