using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using ResumableUploads.Abstractions;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Stores.FileSystem.Takeover;

/// <summary>A client whose connection to one app is half-open, and that reconnects to another app with the same directory.</summary>
public sealed class TakeoverTests : IDisposable
{
    private const int Held = 300_007;
    private static readonly byte[] File = RandomNumberGenerator.GetBytes(500_003);
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("uploads-test-");

    public static TheoryData<string, Durability> Cases
    {
        get
        {
            var cases = new TheoryData<string, Durability>();
            foreach (string protocol in (string[])[ProtocolClient.FileId, ProtocolClient.Tus, ProtocolClient.Ietf])
            {
                cases.Add(protocol, Durability.ProcessCrash);
                cases.Add(protocol, Durability.PowerLoss);
            }

            return cases;
        }
    }

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Status_is_exact_and_the_next_append_follows(string protocol, Durability durability)
    {
        await using TestApp a = await StartAsync(durability);
        await using TestApp b = await StartAsync(durability);
        await HaveMailboxesAsync(2);
        using HeldAppend held = await StartAppendAsync(a, protocol);

        Assert.Equal(Held.ToString(CultureInfo.InvariantCulture), (await b.Client.GetOffsetAsync(protocol, held.Url)).Offset);
        await held.AssertTakenOverAsync();
        await FinishAsync(b, protocol, held.Url);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public async Task Append_at_the_offset_takes_over_without_a_status_request(string protocol, Durability durability)
    {
        await using TestApp a = await StartAsync(durability, syncSize: 1);
        await using TestApp b = await StartAsync(durability);
        await HaveMailboxesAsync(2);
        using HeldAppend held = await StartAppendAsync(a, protocol);

        // The bytes are durable some time after they are in the file.
        HttpStatusCode status;
        do
        {
            using HttpResponseMessage response = await b.Client.FinishAsync(protocol, held.Url, Held, File[Held..]);
            status = response.StatusCode;
        }
        while (durability == Durability.PowerLoss && status == HttpStatusCode.Conflict);

        Assert.Equal(File, Assert.Single(b.Finished).Content);
        await held.AssertTakenOverAsync();
    }

    [Theory]
    [MemberData(nameof(ProtocolClient.Protocols), MemberType = typeof(ProtocolClient))]
    public async Task Append_at_an_offset_that_has_passed_leaves_the_other_process_alone(string protocol)
    {
        await using TestApp a = await StartAsync(Durability.ProcessCrash);
        await using TestApp b = await StartAsync(Durability.ProcessCrash);
        await HaveMailboxesAsync(2);
        using HeldAppend held = await StartAppendAsync(a, protocol);

        using (HttpResponseMessage stale = await b.Client.FinishAsync(protocol, held.Url, 100, File[100..]))
        {
            Assert.Equal(HttpStatusCode.Conflict, stale.StatusCode);
        }

        await held.FinishAsync(File.AsMemory(Held));
        Assert.Equal(File, Assert.Single(a.Finished).Content);
    }

    [Fact]
    public async Task Cancellation_takes_over()
    {
        await using TestApp a = await StartAsync(Durability.ProcessCrash);
        await using TestApp b = await StartAsync(Durability.ProcessCrash);
        await HaveMailboxesAsync(2);
        using HeldAppend held = await StartAppendAsync(a, ProtocolClient.Tus);

        using HttpResponseMessage cancelled = await b.Client.TusAsync("DELETE", held.Url, null);
        Assert.Equal(HttpStatusCode.NoContent, cancelled.StatusCode);
        await held.AssertTakenOverAsync();
        Assert.Empty(Directory.GetFiles(_directory.FullName, "*.data", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Mailboxes_are_removed_when_the_apps_stop()
    {
        await using (await StartAsync(Durability.ProcessCrash))
        {
            await HaveMailboxesAsync(1);
        }

        await HaveMailboxesAsync(0);
    }

    private Task<TestApp> StartAsync(Durability durability, long syncSize = 64 * 1024 * 1024) => TestApp.StartAsync(
        options =>
        {
            options.FileSystem.Durability = durability;
            options.FileSystem.SyncSize = syncSize;
        },
        directory: _directory.FullName);

    private Task HaveMailboxesAsync(int count) => new UploadDirectory(_directory.FullName).HasMailboxesAsync(count);

    private Task<HeldAppend> StartAppendAsync(TestApp app, string protocol) => HeldAppend.StartAsync(
        app, protocol, File, Held, () => Task.FromResult(_directory.GetFiles("*.data", SearchOption.AllDirectories).Any(static file => file.Length >= Held)));

    private static async Task FinishAsync(TestApp app, string protocol, string url)
    {
        using HttpResponseMessage response = await app.Client.FinishAsync(protocol, url, Held, File[Held..]);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        Assert.Equal(File, Assert.Single(app.Finished).Content);
    }
}
