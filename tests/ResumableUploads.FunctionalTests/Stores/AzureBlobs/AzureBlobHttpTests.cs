using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.AzureBlobs;
using ResumableUploads.FunctionalTests.Stores.AzureBlobs.Support;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.AzureBlobs;

/// <summary>Uploads over HTTP to servers that share a container.</summary>
[Collection(nameof(AzuriteTests))]
public class AzureBlobHttpTests(AzuriteServer server)
{
    private const int Held = 300_007;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(500_003);

    public static TheoryData<string> Protocols => ProtocolClient.Protocols;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Upload_in_two_requests_to_two_servers_is_complete(string protocol)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await using TestApp a = await StartAsync(store);
        await using TestApp b = await StartAsync(server.OpenSecondStore(store));
        string url = await a.Client.BeginAsync(protocol, "/upload", File[..Held], File.Length);
        Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), (await b.Client.GetOffsetAsync(protocol, url)).Offset);
        using HttpResponseMessage response = await b.Client.FinishAsync(protocol, url, Held, File[Held..]);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(File, Assert.Single(b.Finished).Content);
    }

    /// <summary>The connection to server A is half-open: the client is gone, and A does not know. The client reconnects to server B.</summary>
    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Status_after_a_half_open_connection_is_exact_on_another_server(string protocol)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { SyncInterval = TimeSpan.FromMilliseconds(50) });
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        await using TestApp a = await StartAsync(store);
        await using TestApp b = await StartAsync(other);
        using HeldAppend held = await StartAppendAsync(a, other, protocol);

        Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), (await b.Client.GetOffsetAsync(protocol, held.Url)).Offset);
        using (HttpResponseMessage response = await b.Client.FinishAsync(protocol, held.Url, Held, File[Held..]))
        {
            Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        }

        Assert.Equal(File, Assert.Single(b.Finished).Content);
        await held.SendAsync(File.AsMemory(Held, 1000));
        Assert.Equal(protocol == ProtocolClient.Tus ? HttpStatusCode.BadRequest : HttpStatusCode.Conflict, await held.EndAsync());
        Assert.Empty(a.Finished);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Append_after_a_half_open_connection_takes_over_without_status(string protocol)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync(new AzureBlobUploadStoreOptions { SyncInterval = TimeSpan.FromMilliseconds(50) });
        AzureBlobUploadStore other = server.OpenSecondStore(store);
        await using TestApp a = await StartAsync(store);
        await using TestApp b = await StartAsync(other);
        using HeldAppend held = await StartAppendAsync(a, other, protocol);
        using HttpResponseMessage response = await b.Client.FinishAsync(protocol, held.Url, Held, File[Held..]);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(File, Assert.Single(b.Finished).Content);
    }

    [Fact]
    public async Task Upload_that_starts_over_with_a_digest_replaces_the_old_one_when_it_is_accepted()
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await using TestApp app = await TestApp.StartAsync(options => (options.Store, options.FileId.RestartOnZero) = (store, true));
        byte[] old = RandomNumberGenerator.GetBytes(Held);
        using (HttpResponseMessage first = await app.Client.AppendAsync("f", 0, old, File.Length))
        {
            Assert.True(first.IsSuccessStatusCode);
        }

        using (HttpResponseMessage wrong = await app.Client.AppendAsync("f", 0, File, File.Length, ("Content-Digest", DigestOf(old))))
        {
            string body = await wrong.Content.ReadAsStringAsync(Token);
            Assert.True(wrong.StatusCode == HttpStatusCode.BadRequest, $"{wrong.StatusCode}: {body}");
        }

        Assert.Equal(Held, await app.Client.StatusAsync("f"));
        using HttpResponseMessage right = await app.Client.AppendAsync("f", 0, File, File.Length, ("Content-Digest", DigestOf(File)));
        Assert.True(right.IsSuccessStatusCode, await right.Content.ReadAsStringAsync(Token));
        Assert.Equal(File, Assert.Single(app.Finished).Content);
        Assert.Single(await store.ListAsync(new UploadQuery(), Token).ToListAsync(Token));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(-1000)]
    public async Task Upload_continues_at_a_server_with_a_wrong_clock(int days)
    {
        AzureBlobUploadStore store = await server.OpenStoreAsync();
        await using TestApp a = await StartAsync(store);
        string url = await a.Client.BeginAsync(ProtocolClient.Tus, "/upload", File[..Held], File.Length);
        await using TestApp b = await TestApp.StartAsync(
            options => options.Store = server.OpenSecondStore(store),
            builder => builder.Services.AddSingleton<TimeProvider>(new WrongClock(TimeSpan.FromDays(days))));
        using HttpResponseMessage response = await b.Client.FinishAsync(ProtocolClient.Tus, url, Held, File[Held..]);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync(Token));
        Assert.Equal(File, Assert.Single(b.Finished).Content);
        UploadInfo info = await store.ListAsync(new UploadQuery(), Token).SingleAsync(Token);
        Assert.InRange(info.Expires!.Value - TimeProvider.System.GetUtcNow(), TimeSpan.Zero, TimeSpan.FromDays(100));
    }

    private static string DigestOf(byte[] bytes) => $"sha-256=:{Convert.ToBase64String(SHA256.HashData(bytes))}:";

    private static Task<TestApp> StartAsync(AzureBlobUploadStore store) => TestApp.StartAsync(options => options.Store = store);

    /// <summary>Starts an append, and waits until another server sees its bytes.</summary>
    private static Task<HeldAppend> StartAppendAsync(TestApp app, AzureBlobUploadStore other, string protocol) => HeldAppend.StartAsync(
        app, protocol, File, Held, async () => await other.ListAsync(new UploadQuery(), CancellationToken.None).AnyAsync(static info => info.Offset >= Held));

    private sealed class WrongClock(TimeSpan difference) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + difference;
    }
}
