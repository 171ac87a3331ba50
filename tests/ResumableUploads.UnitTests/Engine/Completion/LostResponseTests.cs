using System.Runtime.CompilerServices;
using System.Text;
using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Completion;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Completion;

/// <summary>Stored responses that are damaged, of an older version, or of another upload.</summary>
public class LostResponseTests
{
    private static readonly byte[] Response = """{"format":1,"status":200,"headers":[],"body":""}"""u8.ToArray();
    private static readonly EngineRecord Record = new() { Created = DateTimeOffset.UnixEpoch };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public void Sealed_response_is_opened() => AssertOpens(ResponseCondition.Intact, ResponseEnvelope.Seal(Response, Record).ToArray());

    [Fact]
    public void Response_of_an_older_version_is_opened() => AssertOpens(ResponseCondition.Intact, Response);

    [Fact]
    public void Every_torn_or_changed_response_is_detected()
    {
        foreach (byte[] stored in (byte[][])[Response, ResponseEnvelope.Seal(Response, Record).ToArray()])
        {
            for (int i = 0; i < stored.Length; i++)
            {
                AssertOpens(ResponseCondition.Damaged, stored[..i]);
                AssertOpens(ResponseCondition.Damaged, [.. stored[..i], .. new byte[stored.Length - i]]);
            }
        }

        byte[] changed = ResponseEnvelope.Seal(Response, Record).ToArray();
        for (int i = 0; i < changed.Length; i++)
        {
            changed[i] ^= 1;
            AssertOpens(ResponseCondition.Damaged, changed);
            changed[i] ^= 1;
        }
    }

    [Fact]
    public void Response_of_an_earlier_upload_with_the_key_is_missing() =>
        AssertOpens(ResponseCondition.Missing, ResponseEnvelope.Seal(Response, Record with { Created = Record.Created.AddTicks(1) }).ToArray());

    [Theory]
    [InlineData("")]
    [InlineData("{\"format\":1,\"status\":20")]
    [InlineData("sha256:00")]
    public async Task Damaged_response_is_reported_and_the_handler_does_not_run_again(string damaged)
    {
        var store = new MemoryUploadStore();
        var runs = new StrongBox<int>();
        await using TestApp app = await StartAsync(store, runs);
        using HttpResponseMessage first = await app.Client.AppendAsync("f", 0, [1, 2, 3], 3);
        Assert.Equal((201, null), ((int)first.StatusCode, first.Header("X-Upload-Response")));
        await DamageAsync(store, damaged);
        for (int i = 0; i < 2; i++)
        {
            await AssertLostAsync(app);
        }

        Assert.Equal(1, runs.Value);
        Assert.Contains(app.Log.Lines, static line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("[230]", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Damaged_response_of_a_tus_upload_is_reported()
    {
        var store = new MemoryUploadStore();
        await using TusApp app = await TusApp.StartAsync(
            TusApp.Mapped, options => options.Store = store, answer: static _ => new HandlerResponse(200, "done"));
        string url = await app.Client.CreateAsync(TusApp.Url, 3);
        (await app.Client.AppendChunkAsync(url, 0, [1, 2, 3])).Dispose();
        await DamageAsync(store, "{");
        using HttpResponseMessage again = await app.Client.AppendChunkAsync(url, 3, []);
        Assert.Equal((204, "lost"), ((int)again.StatusCode, again.Header("X-Upload-Response")));
    }

    [Fact]
    public async Task Response_that_vanished_is_reported()
    {
        var store = new HookedStore(new MemoryUploadStore());
        var runs = new StrongBox<int>();
        await using TestApp app = await StartAsync(store, runs);
        (await app.Client.AppendAsync("f", 0, [1, 2, 3], 3)).Dispose();
        store.HasLostResponses = true;
        await AssertLostAsync(app);
        Assert.Equal(1, runs.Value);
    }

    [Fact]
    public async Task Upload_without_a_response_has_lost_none()
    {
        await using TestApp app = await TestApp.StartAsync(
            static options =>
            {
                options.Store = new MemoryUploadStore();
                options.OnCompleted = static (_, _) => Task.CompletedTask;
            },
            onTestHost: true);
        (await app.Client.AppendAsync("f", 0, [1, 2, 3], 3)).Dispose();
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, [], 3);
        Assert.Equal(("true", null), (again.Header("X-Upload-Complete"), again.Header("X-Upload-Response")));
    }

    /// <summary>Starts an app whose handler counts its runs.</summary>
    private static Task<TestApp> StartAsync(IUploadStore store, StrongBox<int> runs) => TestApp.StartAsync(
        options =>
        {
            options.Store = store;
            options.Handler.LeaseDuration = TimeSpan.FromSeconds(1);
            options.OnCompleted = (upload, _) =>
            {
                runs.Value++;
                upload.Response = new UploadResponse(201, "text/plain", "done"u8.ToArray());
                return Task.CompletedTask;
            };
        },
        onTestHost: true);

    private static async Task AssertLostAsync(TestApp app)
    {
        using HttpResponseMessage again = await app.Client.AppendAsync("f", 3, [], 3);
        Assert.Equal((200, "true", "lost"), ((int)again.StatusCode, again.Header("X-Upload-Complete"), again.Header("X-Upload-Response")));
    }

    private static void AssertOpens(ResponseCondition condition, byte[] stored)
    {
        (ResponseCondition actual, ReadOnlyMemory<byte>? response) = ResponseEnvelope.Open(stored, Record);
        Assert.Equal(condition, actual);
        Assert.Equal(condition == ResponseCondition.Intact ? Response : null, response?.ToArray());
    }

    private static async Task DamageAsync(MemoryUploadStore store, string response)
    {
        UploadInfo info = await store.ListAsync(new UploadQuery(), Token).SingleAsync(Token);
        Assert.NotNull(await store.GetResponseAsync(info.Key, Token));
        await store.CompleteAsync(info.Key, Encoding.UTF8.GetBytes(response));
    }
}
