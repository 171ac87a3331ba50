using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Management;

public class UploadContentTests
{
    private static readonly byte[] Content = [1, 2, 3];

    [Fact]
    public async Task Content_of_dead_lettered_upload_is_opened_and_logged()
    {
        await using TestApp app = await StartAsync();
        ManagedUpload upload = await SendAsync(app, Content.Length);
        Assert.Equal(ManagedUploadState.DeadLettered, upload.State);

        await using Stream? content = await Manager(app).OpenReadAsync(upload.Key, UploadActionCondition.Unchanged(upload));

        Assert.Equal(Content, await ReadAsync(content!));
        Assert.Equal([$"Information ResumableUploads[310] The upload manager was called to open upload {upload.Key.Id[..8]}: Succeeded. "], Logged(app));
    }

    [Fact]
    public async Task Content_of_receiving_upload_is_not_opened()
    {
        await using TestApp app = await StartAsync();
        ManagedUpload upload = await SendAsync(app, Content.Length + 1);
        Assert.Null(await Manager(app).OpenReadAsync(upload.Key));
        Assert.EndsWith(": InvalidState. ", Assert.Single(Logged(app)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Content_of_missing_upload_is_not_opened()
    {
        await using TestApp app = await StartAsync();
        Assert.Null(await Manager(app).OpenReadAsync(new UploadKey("o", "i")));
        Assert.EndsWith(": NotFound. ", Assert.Single(Logged(app)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, false)]
    [InlineData(false, true, false)]
    [InlineData(false, false, true)]
    public async Task Content_of_another_upload_than_the_condition_is_not_opened(bool otherTime, bool otherState, bool otherStore)
    {
        await using TestApp app = await StartAsync();
        ManagedUpload upload = await SendAsync(app, Content.Length);
        UploadActionCondition condition = UploadActionCondition.Unchanged(upload);
        condition = otherTime ? condition with { Created = upload.Created.AddTicks(1) } : condition;
        condition = otherState ? condition with { State = ManagedUploadState.Completed } : condition;
        condition = otherStore ? condition with { Store = "Other" } : condition;
        Assert.Null(await Manager(app).OpenReadAsync(upload.Key, condition));
    }

    [Fact]
    public async Task Content_of_upload_that_replaced_the_one_of_the_condition_is_not_opened()
    {
        var store = new HookedStore(new MemoryUploadStore());
        await using TestApp app = await StartAsync(store);
        ManagedUpload upload = await SendAsync(app, Content.Length);
        int replacements = 0;
        store.BeforeOpenRead = async _ =>
        {
            if (replacements++ == 0)
            {
                Assert.Equal(UploadActionStatus.Succeeded, await Manager(app).CancelAsync(upload.Key));
                await SendAsync(app, Content.Length);
            }
        };

        Assert.Null(await Manager(app).OpenReadAsync(upload.Key, UploadActionCondition.Unchanged(upload)));

        Assert.NotEqual(0, replacements);
        ManagedUpload? second = await Manager(app).GetAsync(upload.Key);
        Assert.NotEqual(upload.Created, second!.Created);
    }

    [Fact]
    public async Task Content_that_was_moved_away_is_not_opened()
    {
        string target = Path.GetTempFileName();
        try
        {
            await using TestApp app = await TestApp.StartAsync(
                options => options.OnCompleted = (upload, cancellationToken) => upload.MoveToFileAsync(target, overwrite: true, cancellationToken),
                static builder => builder.Services.AddResumableUploads(),
                onTestHost: true);
            ManagedUpload upload = await SendAsync(app, Content.Length);
            Assert.Equal((ManagedUploadState.Completed, false), (upload.State, upload.IsContentStored));
            Assert.Null(await Manager(app).OpenReadAsync(upload.Key));
            Assert.EndsWith(": NotFound. ", Assert.Single(Logged(app)), StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(target);
        }
    }

    private static IEnumerable<string> Logged(TestApp app) => app.Log.Lines.Where(static line => line.Contains("[310]", StringComparison.Ordinal));

    private static IUploadManager Manager(TestApp app) => app.Services.GetRequiredService<IUploadManager>();

    private static async Task<ManagedUpload> SendAsync(TestApp app, int length)
    {
        (await app.Client.AppendAsync("f", 0, Content, length)).Dispose();
        return Assert.Single((await Manager(app).ListAsync(new UploadListQuery())).Uploads);
    }

    private static async Task<byte[]> ReadAsync(Stream content)
    {
        using var copy = new MemoryStream();
        await content.CopyToAsync(copy);
        return copy.ToArray();
    }

    private static Task<TestApp> StartAsync(IUploadStore? store = null) => TestApp.StartAsync(
        options =>
        {
            options.Store = store;
            options.Handler.MaxAttempts = 1;
            options.OnCompleted = static (_, _) => throw new InvalidOperationException("Injected failure.");
        },
        static builder => builder.Services.AddResumableUploads(),
        onTestHost: true);
}
