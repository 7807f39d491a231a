// Certificates for tests of TLS, made anew in a directory of their own, which goes with them.
#pragma once

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace leveret::test {

/// An authority and what it signs. Files are NAME.pem and NAME.key in `directory`.
class certificates {
public:
    certificates()
    {
        std::string form = (std::filesystem::temp_directory_path() / "leveret-XXXXXX").string();
        REQUIRE(::mkdtemp(form.data()) != nullptr);
        directory_ = form;
        make("ca", "leveret's tests", "");
    }
    certificates(const certificates&) = delete;
    certificates& operator=(const certificates&) = delete;
    ~certificates()
    {
        std::error_code ignored;
        std::filesystem::remove_all(directory_, ignored);
    }

    /// One for a name, signed by the authority; `addresses` is its subjectAltName, such as `IP:127.0.0.1`.
    void sign(const std::string& file, const std::string& common_name, const std::string& addresses = {})
    {
        make(file, common_name, addresses);
    }
    /// Writes the key of one again, with a password.
    void encrypt(const std::string& file, const std::string& password)
    {
        std::unique_ptr<EVP_PKEY, freed> key;
        {
            const file_ptr in(std::fopen(this->key(file).c_str(), "r"));
            REQUIRE(in);
            key.reset(::PEM_read_PrivateKey(in.get(), nullptr, nullptr, nullptr));
        }
        REQUIRE(key);
        const file_ptr out(std::fopen(this->key(file).c_str(), "w"));
        REQUIRE(out);
        ::PEM_write_PrivateKey(out.get(), key.get(), ::EVP_aes_256_cbc(),
                               reinterpret_cast<const unsigned char*>(password.data()), static_cast<int>(password.size()),
                               nullptr, nullptr);
    }
    [[nodiscard]] std::string pem(const std::string& file) const { return directory_ + "/" + file + ".pem"; }
    [[nodiscard]] std::string key(const std::string& file) const { return directory_ + "/" + file + ".key"; }

private:
    struct freed {
        void operator()(EVP_PKEY* p) const noexcept { ::EVP_PKEY_free(p); }
        void operator()(X509* p) const noexcept { ::X509_free(p); }
        void operator()(X509_EXTENSION* p) const noexcept { ::X509_EXTENSION_free(p); }
        void operator()(std::FILE* p) const noexcept { std::fclose(p); }
    };
    using file_ptr = std::unique_ptr<std::FILE, freed>;

    void extend(X509* c, int what, const char* value) const
    {
        X509V3_CTX context;
        X509V3_set_ctx_nodb(&context);
        ::X509V3_set_ctx(&context, c, c, nullptr, nullptr, 0);
        const std::unique_ptr<X509_EXTENSION, freed> e(::X509V3_EXT_conf_nid(nullptr, &context, what, value));
        REQUIRE(e);
        REQUIRE(::X509_add_ext(c, e.get(), -1) == 1);
    }
    void make(const std::string& file, const std::string& common_name, const std::string& addresses)
    {
        std::unique_ptr<EVP_PKEY, freed> key(::EVP_EC_gen("P-256"));
        std::unique_ptr<X509, freed> c(::X509_new());
        REQUIRE(key);
        ::X509_set_version(c.get(), X509_VERSION_3);
        ::ASN1_INTEGER_set(::X509_get_serialNumber(c.get()), ++serial_);
        ::X509_gmtime_adj(::X509_getm_notBefore(c.get()), -3600);
        ::X509_gmtime_adj(::X509_getm_notAfter(c.get()), 24 * 3600);
        ::X509_set_pubkey(c.get(), key.get());
        X509_NAME* const name = ::X509_get_subject_name(c.get());
        ::X509_NAME_add_entry_by_txt(name, "O", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("tests"), -1, -1, 0);
        ::X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(common_name.c_str()),
                                     -1, -1, 0);
        const bool is_authority = !authority_;
        ::X509_set_issuer_name(c.get(), is_authority ? name : ::X509_get_subject_name(authority_.get()));
        extend(c.get(), NID_basic_constraints, is_authority ? "critical,CA:TRUE" : "CA:FALSE");
        if (!addresses.empty())
            extend(c.get(), NID_subject_alt_name, addresses.c_str());
        REQUIRE(::X509_sign(c.get(), is_authority ? key.get() : authority_key_.get(), ::EVP_sha256()) > 0);
        const file_ptr certificate(std::fopen(pem(file).c_str(), "w"));
        const file_ptr secret(std::fopen(this->key(file).c_str(), "w"));
        REQUIRE(certificate);
        REQUIRE(secret);
        ::PEM_write_X509(certificate.get(), c.get());
        ::PEM_write_PrivateKey(secret.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        if (is_authority) {
            authority_ = std::move(c);
            authority_key_ = std::move(key);
        }
    }

    std::string directory_;
    long serial_ = 0;
    std::unique_ptr<X509, freed> authority_;
    std::unique_ptr<EVP_PKEY, freed> authority_key_;
};

} // namespace leveret::test
