using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResumableUploads.Testing.Servers;

/// <summary>A self-signed certificate for localhost.</summary>
internal static class TestCertificate
{
    public static X509Certificate2 Instance { get; } = Create();

    /// <summary>Validates a server certificate: only this one is trusted.</summary>
    public static bool IsIt(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => Instance.Equals(certificate);

    /// <summary>Writes the certificate and its key to files, for a server in another process.</summary>
    public static void Export(string certificateFile, string keyFile)
    {
        using ECDsa key = Instance.GetECDsaPrivateKey()!;
        File.WriteAllText(certificateFile, Instance.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
    }

    private static X509Certificate2 Create()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 certificate = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));

        // On Windows, TLS requires a key that was imported.
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), password: null, X509KeyStorageFlags.Exportable);
    }
}
