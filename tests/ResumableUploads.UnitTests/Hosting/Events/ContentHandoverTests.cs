using System.Net;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Hosting.Events;

/// <summary>Copies of content within the storage service, and URLs of it, from <c>OnCompleted</c> and from an endpoint.</summary>
public class ContentHandoverTests
{
    private static readonly byte[] Content = [1, 2, 3];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Copy_and_url_have_the_content()
    {
        await using var store = new ObjectStore(new MemoryUploadStore());
        Uri? url = null;
        await RunAsync(store, async upload =>
        {
            await upload.CopyToContainerAsync("videos", "a/b.bin", cancellationToken: Token);
            url = await upload.CreateReadUrlAsync(TimeSpan.FromHours(1), Token);
        });
        Assert.Equal(Content, store.Objects[("videos", "a/b.bin")].Content);
        using var client = new HttpClient();
        Assert.Equal(Content, await client.GetByteArrayAsync(url, Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Existing_object_is_replaced_only_with_overwrite(bool overwrite)
    {
        await using var store = new ObjectStore(new MemoryUploadStore());
        store.Objects[("videos", "b")] = ("another upload", [9]);
        Exception? failure = null;
        await RunAsync(store, async upload => failure = await Record.ExceptionAsync(() => upload.CopyToContainerAsync("videos", "b", overwrite, Token)));
        Assert.Equal(overwrite ? Content : [9], store.Objects[("videos", "b")].Content);
        Assert.Equal(!overwrite, failure is IOException);
    }

    [Fact]
    public async Task Copy_and_url_are_retried_if_the_version_changes()
    {
        await using var store = new ObjectStore(new MemoryUploadStore());
        int changes = 0;
        store.BeforeCall = async key =>
        {
            // Like a renewal of the handler's lease, which happens at any time. Every second call succeeds.
            if (changes++ % 2 == 0)
            {
                UploadInfo info = (await store.GetAsync(key, Token))!;
                Assert.Equal(ChangeStatus.Succeeded, (await store.UpdateAsync(key, info.Version, info.Record, Token)).Status);
            }
        };
        Uri? url = null;
        await RunAsync(store, async upload =>
        {
            await upload.CopyToContainerAsync("videos", "b", cancellationToken: Token);
            url = await upload.CreateReadUrlAsync(TimeSpan.FromHours(1), Token);
        });
        Assert.Equal(4, changes);
        Assert.Equal(Content, store.Objects[("videos", "b")].Content);
        Assert.NotNull(url);
    }

    [Fact]
    public async Task Store_without_the_capability_throws_NotSupportedException()
    {
        Exception? copy = null;
        Exception? url = null;
        await RunAsync(new MemoryUploadStore(), async upload =>
        {
            copy = await Record.ExceptionAsync(() => upload.CopyToContainerAsync("videos", "b", cancellationToken: Token));
            url = await Record.ExceptionAsync(() => upload.CreateReadUrlAsync(TimeSpan.FromHours(1), Token));
        });
        Assert.Contains(nameof(IContentCopier), Assert.IsType<NotSupportedException>(copy).Message, StringComparison.Ordinal);
        Assert.Contains(nameof(IContentUrlProvider), Assert.IsType<NotSupportedException>(url).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Deleted_upload_is_not_copied()
    {
        await using var store = new ObjectStore(new MemoryUploadStore());
        store.BeforeCall = async key => await store.DeleteAsync(key, null, Token);
        Exception? failure = null;
        await RunAsync(store, async upload => failure = await Record.ExceptionAsync(() => upload.CopyToContainerAsync("videos", "b", cancellationToken: Token)));
        Assert.IsType<InvalidOperationException>(failure);
        Assert.Empty(store.Objects);
    }

    [Fact]
    public async Task Endpoint_copies_its_upload()
    {
        await using var store = new ObjectStore(new MemoryUploadStore());
        await using TestApp app = await EndpointApp.StartAsync(
            static app => app.MapPost("/videos", static async (HttpContext context) =>
            {
                IResumableUploadFeature upload = context.Features.Get<IResumableUploadFeature>()!;
                await upload.CopyToContainerAsync("videos", "b");
                return (await upload.CreateReadUrlAsync(TimeSpan.FromHours(1))).AbsolutePath;
            }).WithResumableUploads(),
            options => options.Store = store,
            onTestHost: true);
        using HttpResponseMessage response = await app.Client.AppendAsync("f", 0, new ByteArrayContent(Content), Content.Length, "/videos");
        Assert.Equal((HttpStatusCode.OK, "/content"), (response.StatusCode, await response.Content.ReadAsStringAsync(Token)));
        Assert.Equal(Content, store.Objects[("videos", "b")].Content);
    }

    private static async Task RunAsync(IUploadStore store, Func<CompletedUpload, Task> handle)
    {
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Store = store;
                options.OnCompleted = (upload, _) => handle(upload);
            },
            onTestHost: true);
        (await app.Client.AppendAsync("f", 0, Content, Content.Length)).Dispose();
    }
}
