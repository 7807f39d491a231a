#pragma once

#include "leveret/core/errc.hpp"
#include "leveret/core/error.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>

/// Passwords of a server's users, stored as what can't be turned back: by OpenSSL.
namespace leveret::broker {

namespace detail {

inline constexpr std::size_t sha256_size = 32;

[[nodiscard]] inline std::string base64(std::string_view bytes)
{
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0'); // and a NUL
    const int size = ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                       reinterpret_cast<const unsigned char*>(bytes.data()),
                                       static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

/// Empty if it is none.
[[nodiscard]] inline std::string from_base64(std::string_view text)
{
    if (text.empty() || text.size() % 4 != 0 || text.size() > 1024)
        return {};
    std::string bytes(text.size() / 4 * 3, '\0');
    if (::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                          reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size())) < 0)
        return {};
    bytes.resize(bytes.size() - (text.ends_with("==") ? 2U : text.ends_with('=') ? 1U : 0U));
    return bytes;
}

/// RabbitMQ's rabbit_password_hashing_sha256: of salt and password.
[[nodiscard]] inline std::string salted_sha256(std::string_view salt, std::string_view password)
{
    const std::string all = std::string(salt) + std::string(password);
    std::string hash(sha256_size, '\0');
    if (::EVP_Digest(all.data(), all.size(), reinterpret_cast<unsigned char*>(hash.data()), nullptr, ::EVP_sha256(),
                     nullptr) != 1)
        throw usage_error(make_error_code(errc::not_supported), "password hash: OpenSSL has no SHA-256");
    return hash;
}

[[nodiscard]] inline std::string pbkdf2(std::string_view salt, std::string_view password, unsigned iterations)
{
    std::string hash(sha256_size, '\0');
    if (::PKCS5_PBKDF2_HMAC(password.data(), static_cast<int>(password.size()),
                            reinterpret_cast<const unsigned char*>(salt.data()), static_cast<int>(salt.size()),
                            static_cast<int>(iterations), ::EVP_sha256(), static_cast<int>(sha256_size),
                            reinterpret_cast<unsigned char*>(hash.data())) != 1)
        throw usage_error(make_error_code(errc::not_supported), "password hash: OpenSSL has no PBKDF2");
    return hash;
}

[[nodiscard]] inline bool is_same_hash(std::string_view a, std::string_view b) noexcept
{
    return a.size() == b.size() && ::CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

} // namespace detail

inline constexpr unsigned password_iterations = 4096; ///< of a new hash, as SCRAM has (RFC 7677): a millisecond a login
inline constexpr unsigned max_password_iterations = 2'000'000; ///< more are not tried: a login would hold up all others

namespace detail {

/// Takes `pbkdf2-sha256$iterations$salt$hash` apart. False if it is none.
[[nodiscard]] inline bool split_hash(std::string_view text, unsigned& iterations, std::string_view& salt,
                                     std::string_view& hash)
{
    static constexpr std::string_view scheme = "pbkdf2-sha256$";
    if (!text.starts_with(scheme))
        return false;
    text.remove_prefix(scheme.size());
    const std::size_t first = text.find('$');
    const std::size_t second = first == std::string_view::npos ? first : text.find('$', first + 1);
    if (second == std::string_view::npos)
        return false;
    const auto number = std::from_chars(text.data(), text.data() + first, iterations);
    salt = text.substr(first + 1, second - first - 1);
    hash = text.substr(second + 1);
    return number.ec == std::errc() && number.ptr == text.data() + first && iterations != 0 &&
           iterations <= max_password_iterations;
}

} // namespace detail

/// A new hash of a password, with a salt of its own: `pbkdf2-sha256$iterations$salt$hash`, salt and hash in base64. The more
/// iterations, the longer a guess takes and so does a login, during which the server does nothing else. Throws
/// usage_error for a number of iterations that is none, std::system_error if there is no randomness.
[[nodiscard]] inline std::string hash_password(std::string_view password, unsigned iterations = password_iterations)
{
    if (iterations == 0 || iterations > max_password_iterations)
        throw usage_error(make_error_code(errc::invalid_argument),
                          "password hash: iterations must be 1 to " + std::to_string(max_password_iterations));
    std::string salt(16, '\0');
    if (::RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
        throw std::system_error(std::make_error_code(std::errc::resource_unavailable_try_again),
                                "password hash: no randomness");
    return "pbkdf2-sha256$" + std::to_string(iterations) + "$" + detail::base64(salt) + "$" +
           detail::base64(detail::pbkdf2(salt, password, iterations));
}

/// Whether this is something that verify_password could accept a password for.
[[nodiscard]] inline bool is_password_hash(std::string_view text)
{
    std::string_view salt, hash;
    unsigned iterations = 0;
    return detail::split_hash(text, iterations, salt, hash)
               ? detail::from_base64(hash).size() == detail::sha256_size
               : detail::from_base64(text).size() == 4 + detail::sha256_size;
}

/// Whether a password is the one of a hash: of one of hash_password's, or of RabbitMQ's own (password_hash of its
/// definitions, with rabbit_password_hashing_sha256: base64 of four bytes of salt and the hash). False for what is no
/// hash. To be given to `users`:
///
///     lv::broker::users users{&lv::broker::verify_password};
///     users.add("sensor", "pbkdf2-sha256$4096$...");
[[nodiscard]] inline bool verify_password(std::string_view given, std::string_view stored)
{
    std::string_view salt, hash;
    unsigned iterations = 0;
    if (detail::split_hash(stored, iterations, salt, hash)) {
        const std::string expected = detail::from_base64(hash);
        return expected.size() == detail::sha256_size &&
               detail::is_same_hash(detail::pbkdf2(detail::from_base64(salt), given, iterations), expected);
    }
    const std::string bytes = detail::from_base64(stored);
    if (bytes.size() != 4 + detail::sha256_size)
        return false;
    const std::string_view all = bytes;
    return detail::is_same_hash(detail::salted_sha256(all.substr(0, 4), given), all.substr(4));
}

} // namespace leveret::broker
