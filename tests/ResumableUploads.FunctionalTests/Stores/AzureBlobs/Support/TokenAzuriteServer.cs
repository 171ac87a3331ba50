using System.Buffers.Text;
using System.Text;
using System.Text.Json;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using ResumableUploads.AzureBlobs;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;

/// <summary>The emulator with HTTPS, which accepts access tokens.</summary>
public sealed class TokenAzuriteServer : IAsyncLifetime
{
    private AzuriteProcess? _process;

    /// <summary>Gets a client that trusts the certificate of the emulator.</summary>
    public HttpClient Client { get; } = new(new SocketsHttpHandler { SslOptions = { RemoteCertificateValidationCallback = TestCertificate.IsIt } });

    public async ValueTask InitializeAsync() => _process = await AzuriteProcess.StartAsync(acceptsTokens: true);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await (_process?.DisposeAsync() ?? ValueTask.CompletedTask);
    }

    /// <summary>Returns the client of a container with a new name, which does not exist yet.</summary>
    internal BlobContainerClient NewContainer(params RequestPolicy[] policies)
    {
        BlobClientOptions options = AzureBlobUploadStore.CreateClientOptions();
        options.Transport = new HttpClientTransport(Client);
        foreach (RequestPolicy policy in policies)
        {
            options.AddPolicy(policy, policy.Position);
        }

        return new BlobContainerClient(new Uri($"{_process!.Endpoint}/test-{Guid.NewGuid():N}"), new FakeCredential(), options);
    }

    /// <summary>Creates tokens that the emulator accepts: it checks the claims, and not the signature.</summary>
    private sealed class FakeCredential : TokenCredential
    {
        private const string Tenant = "11111111-2222-3333-4444-555555555555";
        private const string Identity = "66666666-7777-8888-9999-000000000000";

        public override AccessToken GetToken(TokenRequestContext requestContext, CancellationToken cancellationToken)
        {
            DateTimeOffset now = TimeProvider.System.GetUtcNow();
            DateTimeOffset expires = now.AddHours(1);
            string audience = requestContext.Scopes.Single().Replace("/.default", "", StringComparison.Ordinal);
            string claims = JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["aud"] = audience,
                ["iss"] = $"https://sts.windows.net/{Tenant}/",
                ["iat"] = now.ToUnixTimeSeconds(),
                ["nbf"] = now.AddMinutes(-5).ToUnixTimeSeconds(),
                ["exp"] = expires.ToUnixTimeSeconds(),
                ["oid"] = Identity,
                ["tid"] = Tenant,
            });
            return new AccessToken($"{Encode("""{"alg":"none","typ":"JWT"}""")}.{Encode(claims)}.", expires);
        }

        public override ValueTask<AccessToken> GetTokenAsync(TokenRequestContext requestContext, CancellationToken cancellationToken) =>
            ValueTask.FromResult(GetToken(requestContext, cancellationToken));

        private static string Encode(string json) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(json));
    }
}
