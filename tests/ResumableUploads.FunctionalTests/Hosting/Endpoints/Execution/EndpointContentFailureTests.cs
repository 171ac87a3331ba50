using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.DependencyInjection;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using static ResumableUploads.Testing.ProblemExpectations;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

/// <summary>
/// The store fails while an endpoint reads the content. Model binding treats this as a client that has disconnected, so the response of the endpoint does
/// not count.
/// </summary>
public class EndpointContentFailureTests
{
    private const string Multipart = "multipart/form-data; boundary=b";
    private static readonly byte[] Json = "{\"name\":\"n\"}"u8.ToArray();
    private static readonly byte[] Form = Encoding.ASCII.GetBytes(
        "--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.txt\"\r\nContent-Type: text/plain\r\n\r\ncontent\r\n--b--\r\n");

    [Theory]
    [InlineData("/json", false)]
    [InlineData("/json", true)]
    [InlineData("/form", false)]
    [InlineData("/form", true)]
    [InlineData("/action", false)]
    [InlineData("/catches", false)]
    [InlineData("/catches", true)]
    public async Task Failed_read_of_the_content_is_a_failed_run(string path, bool isTruncated)
    {
        var store = new FailingContentStore { IsTruncated = isTruncated };
        await using TestApp app = await StartAsync(store);
        byte[] content = path is "/form" or "/action" ? Form : Json;
        string type = path is "/form" or "/action" ? Multipart : "application/json";
        await app.Client.AppendAsync("f", 0, new ByteArrayContent(content), content.Length, path, ("Content-Type", type))
            .ShouldBeProblemAsync(503, Own + "handler-failed", content.Length);

        store.IsRepaired = true;
        using HttpResponseMessage response = await app.Client.AppendAsync("f", content.Length, new ByteArrayContent([]), content.Length, path, ("Content-Type", type));
        Assert.Equal((200, "saved", "true"), ((int)response.StatusCode, await response.Content.ReadAsStringAsync(), response.Header("X-Upload-Complete")));
    }

    [Fact]
    public async Task Failed_read_for_the_antiforgery_token_does_not_dead_letter()
    {
        await using TestApp app = await StartAsync(new FailingContentStore());
        await app.Client.AppendAsync("f", 0, new ByteArrayContent(Form), Form.Length, "/protected", ("Content-Type", Multipart))
            .ShouldBeProblemAsync(503, Own + "handler-failed", Form.Length);
    }

    private static Task<TestApp> StartAsync(FailingContentStore store) => EndpointApp.StartAsync(
        static app =>
        {
            app.UseRouting();
            app.UseResumableUploadEndpoints();
            app.UseAntiforgery();
            app.MapPost("/json", static (Named named) => named.Name == "n" ? "saved" : "wrong").WithResumableUploads();
            app.MapPost("/form", static (IFormFile file) => file.Length == 7 ? "saved" : "wrong").DisableAntiforgery().WithResumableUploads();
            app.MapPost("/protected", static (IFormFile file) => file.FileName).WithResumableUploads();
            app.MapPost("/catches", static async (Stream body) =>
            {
                try
                {
                    await body.CopyToAsync(Stream.Null);
                }
                catch (IOException)
                {
                    return "failed";
                }

                return "saved";
            }).WithResumableUploads();
            app.MapControllers().WithResumableUploads();
        },
        options => options.Store = store,
        static builder =>
        {
            builder.Services.AddAntiforgery();
            builder.Services.AddControllers().OnlyControllers(typeof(FileActionController));
        },
        onTestHost: true);

    private sealed record Named(string Name);

    /// <summary>A store whose content fails with the first read, or ends one byte early.</summary>
    private sealed class FailingContentStore() : DelegatingUploadStore(new MemoryUploadStore())
    {
        public bool IsTruncated { get; init; }

        public bool IsRepaired { get; set; }

        public override async ValueTask<Stream?> OpenReadAsync(UploadKey key, CancellationToken cancellationToken)
        {
            Stream content = (await InnerStore.OpenReadAsync(key, cancellationToken))!;
            if (IsRepaired)
            {
                return content;
            }

            await using (content)
            {
                byte[] bytes = new byte[content.Length];
                await content.ReadExactlyAsync(bytes, cancellationToken);
                return new FailingStream(bytes[..^1]) { IsTruncated = IsTruncated };
            }
        }
    }

    private sealed class FailingStream(byte[] content) : MemoryStream(content)
    {
        public bool IsTruncated { get; init; }

        public override int Read(byte[] buffer, int offset, int count) => IsTruncated ? base.Read(buffer, offset, count) : throw Failure;

        public override int Read(Span<byte> buffer) => IsTruncated ? base.Read(buffer) : throw Failure;

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            IsTruncated ? base.ReadAsync(buffer, offset, count, cancellationToken) : throw Failure;

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            IsTruncated ? base.ReadAsync(buffer, cancellationToken) : throw Failure;

        public override Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken) =>
            IsTruncated ? base.CopyToAsync(destination, bufferSize, cancellationToken) : throw Failure;

        private static UploadStoreException Failure => new(StoreFailure.Unavailable, "Injected failure.");
    }
}

/// <summary>An action that accepts a missing file.</summary>
public sealed class FileActionController : ControllerBase
{
    [HttpPost("/action")]
    public string Save(IFormFile? file) => file is null ? "no file" : "saved";
}
