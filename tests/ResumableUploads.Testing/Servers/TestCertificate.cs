using System.Net;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace ResumableUploads.Testing.Servers;

/// <summary>A certificate for localhost that nobody has signed but itself.</summary>
internal static class TestCertificate
{
    public static X509Certificate2 Instance { get; } = Make();

    /// <summary>For a client that trusts this one alone.</summary>
    public static bool IsIt(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors) => Instance.Equals(certificate);

    private static X509Certificate2 Make()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName("localhost");
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        DateTimeOffset now = TimeProvider.System.GetUtcNow();
        using X509Certificate2 made = request.CreateSelfSigned(now.AddDays(-1), now.AddDays(2));

        // Windows wants a key that was read from a file.
        return X509CertificateLoader.LoadPkcs12(made.Export(X509ContentType.Pfx), password: null);
    }
}
