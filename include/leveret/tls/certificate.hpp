// What is said of a certificate: why it is not good, and whom it names.
#pragma once

#include "leveret/tls/context.hpp"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/obj_mac.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

namespace leveret::tls {

/// The category of error codes that say why a certificate was not accepted: OpenSSL's X509_V_ERR_*.
[[nodiscard]] inline const std::error_category& certificate_category() noexcept
{
    static const struct final : std::error_category {
        [[nodiscard]] const char* name() const noexcept override { return "leveret.certificate"; }
        [[nodiscard]] std::string message(int code) const override
        {
            return std::string("the certificate is not accepted: ") + ::X509_verify_cert_error_string(code);
        }
    } category;
    return category;
}

namespace detail {

struct freed {
    void operator()(X509* p) const noexcept { ::X509_free(p); }
    void operator()(BIO* p) const noexcept { ::BIO_free(p); }
    void operator()(unsigned char* p) const noexcept { ::OPENSSL_free(p); }
};

[[nodiscard]] inline std::string common_name_of(X509_NAME* subject)
{
    const int at = ::X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
    if (at < 0)
        return {};
    unsigned char* text = nullptr;
    const int size = ::ASN1_STRING_to_UTF8(&text, ::X509_NAME_ENTRY_get_data(::X509_NAME_get_entry(subject, at)));
    if (size < 0)
        return {};
    const std::unique_ptr<unsigned char, freed> owned(text);
    return std::string(reinterpret_cast<const char*>(text), static_cast<std::size_t>(size));
}

[[nodiscard]] inline std::string distinguished_name_of(X509_NAME* subject)
{
    const std::unique_ptr<BIO, freed> out(::BIO_new(::BIO_s_mem()));
    if (!out || ::X509_NAME_print_ex(out.get(), subject, 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
        return {};
    char* text = nullptr;
    const long size = ::BIO_get_mem_data(out.get(), &text);
    return size <= 0 ? std::string() : std::string(text, static_cast<std::size_t>(size));
}

/// Whom the peer's certificate names as a user; empty if it showed none that was accepted, or no name that a user
/// could have.
[[nodiscard]] inline std::string user_of_peer(SSL* ssl, user_name how)
{
    const std::unique_ptr<X509, freed> shown(::SSL_get1_peer_certificate(ssl));
    if (!shown || ::SSL_get_verify_result(ssl) != X509_V_OK)
        return {};
    X509_NAME* const subject = ::X509_get_subject_name(shown.get());
    std::string name = how == user_name::common_name ? common_name_of(subject) : distinguished_name_of(subject);
    // A NUL could make two names look the same to somebody.
    return name.size() > 255 || name.find('\0') != std::string::npos ? std::string() : name;
}

} // namespace detail

} // namespace leveret::tls
