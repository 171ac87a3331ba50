using System.Collections.Specialized;
using System.Globalization;
using System.Net;
using System.Web;
using Azure;
using Azure.Core;
using Azure.Core.Pipeline;
using Azure.Storage.Blobs;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>A store whose client has a token credential: URLs are signed with a user delegation key.</summary>
public class TokenCredentialTests(TokenAzuriteServer server) : IClassFixture<TokenAzuriteServer>
{
    private const string DelegationKeyRequest = "POST userdelegationkey";
    private static readonly UploadKey Key = new("owner", "upload");
    private static readonly byte[] Content = [.. Enumerable.Range(0, 100_000).Select(static i => (byte)(i * 7))];
    private readonly CountingPolicy _requests = new();

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Startup_check_with_a_token_credential_succeeds()
    {
        var store = new AzureBlobUploadStore(server.NewContainer(), new AzureBlobUploadStoreOptions { CreateContainer = true });
        await store.CheckAsync(Token);
    }

    /// <summary>Azurite leaves the snapshot out of the signatures of delegation keys that it computes, so that the content cannot be read from it.</summary>
    [Fact]
    public async Task Url_of_a_delegation_key_allows_to_read_a_snapshot_and_nothing_else()
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        Uri url = (await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromMinutes(10), Token))!;
        NameValueCollection query = HttpUtility.ParseQueryString(url.Query);
        Assert.NotNull(query["skoid"]);
        Assert.NotNull(query["snapshot"]);
        Assert.Equal(("bs", "r"), (query["sr"], query["sp"]));

        using HttpResponseMessage deletion = await server.Client.DeleteAsync(url, Token);
        Assert.Equal(HttpStatusCode.Forbidden, deletion.StatusCode);
        using HttpResponseMessage unsigned = await server.Client.GetAsync(url.GetLeftPart(UriPartial.Path), Token);
        Assert.NotEqual(HttpStatusCode.OK, unsigned.StatusCode);
    }

    [Fact]
    public async Task Delegation_key_is_requested_once_for_the_lifetimes_that_it_covers()
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        foreach ((TimeSpan lifetime, int requests) in ((TimeSpan, int)[])[(TimeSpan.FromMinutes(1), 1), (TimeSpan.FromDays(6), 0), (TimeSpan.FromDays(7), 0), (TimeSpan.FromHours(1), 0)])
        {
            _requests.Take();
            Uri url = (await store.CreateReadUrlAsync(Key, info.Version, lifetime, Token))!;
            Assert.Equal(requests, _requests.Take().Count(static request => request == DelegationKeyRequest));
            Assert.InRange(DateTimeOffset.Parse(HttpUtility.ParseQueryString(url.Query)["se"]!, CultureInfo.InvariantCulture) - TimeProvider.System.GetUtcNow(), lifetime / 2, lifetime);
        }
    }

    [Fact]
    public async Task Url_without_the_permission_to_sign_names_the_role()
    {
        AzureBlobUploadStore store = await OpenAsync(new RefusalPolicy(DelegationKeyRequest));
        UploadInfo info = await CreateReceivedAsync(store);
        InvalidOperationException exception = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => await store.CreateReadUrlAsync(Key, info.Version, TimeSpan.FromMinutes(10), Token));
        Assert.Contains("Storage Blob Delegator", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Copy_with_a_token_credential_has_the_content()
    {
        AzureBlobUploadStore store = await OpenAsync();
        UploadInfo info = await CreateReceivedAsync(store);
        BlobContainerClient target = server.NewContainer();
        await target.CreateAsync(cancellationToken: Token);
        Assert.Equal(CopyStatus.Copied, await store.CopyContentAsync(Key, info.Version, target.Name, "copy", overwrite: false, Token));
        Assert.Equal(Content, (await target.GetBlobClient("copy").DownloadContentAsync(Token)).Value.Content.ToArray());
    }

    private async Task<AzureBlobUploadStore> OpenAsync(params RequestPolicy[] policies)
    {
        BlobContainerClient container = server.NewContainer([_requests, .. policies]);
        await container.CreateAsync(cancellationToken: Token);
        return new AzureBlobUploadStore(container);
    }

    private static async Task<UploadInfo> CreateReceivedAsync(AzureBlobUploadStore store)
    {
        await store.CreateAsync(Key, new UploadRecord(), Token);
        AppendResult result = await store.AppendAsync(
            Key, 0, RecordingContent.FromBytes(Content, _ => new FinalRecord(new UploadRecord { State = UploadState.Received }, false)), AppendMode.KeepPartial, Token);
        return result.Updated!;
    }

    /// <summary>Refuses requests with a name, as for an identity without a role.</summary>
    private sealed class RefusalPolicy(string name) : RequestPolicy
    {
        public override ValueTask ProcessAsync(HttpMessage message, ReadOnlyMemory<HttpPipelinePolicy> pipeline) =>
            Name(message) == name
                ? throw new RequestFailedException((int)HttpStatusCode.Forbidden, "This request is not authorized.", "AuthorizationPermissionMismatch", null)
                : ProcessNextAsync(message, pipeline);
    }
}
