using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Protocols.Tus;

public class TusSmokeTests
{
    public static TheoryData<string> Places => ["ready-made", "mapped", "endpoint"];

    [Theory]
    [MemberData(nameof(Places))]
    public async Task Upload_in_two_chunks_completes(string place)
    {
        byte[] file = RandomNumberGenerator.GetBytes(200_000);
        byte[]? seen = null;
        string? name = null;
        await using TestApp app = await EndpointApp.StartAsync(
            app =>
            {
                Func<CompletedUpload, CancellationToken, Task> completed = async (upload, token) =>
                {
                    using var content = new MemoryStream();
                    await using Stream stream = await upload.OpenReadAsync(token);
                    await stream.CopyToAsync(content, token);
                    (seen, name) = (content.ToArray(), upload.FileName);
                };
                switch (place)
                {
                    case "ready-made":
                        app.UseResumableUploads(options =>
                        {
                            options.UploadPath = "/files";
                            options.OnCompleted = completed;
                        });
                        break;
                    case "mapped":
                        app.MapResumableUploads("/files", options => options.OnCompleted = completed);
                        break;
                    default:
                        app.MapPost("/files", async (HttpContext context, Stream body) =>
                        {
                            using var content = new MemoryStream();
                            await body.CopyToAsync(content);
                            (seen, name) = (content.ToArray(), context.Features.Get<IResumableUploadFeature>()!.FileName);
                            return Results.NoContent();
                        }).WithResumableUploads();
                        break;
                }
            });
        string url = await app.Client.CreateAsync("/files", file.Length, ("Upload-Metadata", "filename YS50eHQ=,filetype dGV4dC9wbGFpbg=="));
        using (HttpResponseMessage first = await app.Client.AppendChunkAsync(url, 0, file[..70_000]))
        {
            Assert.Equal((204, "70000", "1.0.0"), ((int)first.StatusCode, first.Header("Upload-Offset"), first.Header("Tus-Resumable")));
        }

        using (HttpResponseMessage head = await app.Client.TusAsync("HEAD", url))
        {
            Assert.Equal((200, "70000", "200000"), ((int)head.StatusCode, head.Header("Upload-Offset"), head.Header("Upload-Length")));
            Assert.Equal("filename YS50eHQ=,filetype dGV4dC9wbGFpbg==", head.Header("Upload-Metadata"));
        }

        using (HttpResponseMessage last = await app.Client.AppendChunkAsync(url, 70_000, file[70_000..]))
        {
            Assert.Equal((204, "200000"), ((int)last.StatusCode, last.Header("Upload-Offset")));
        }

        Assert.Equal(file, seen);
        Assert.Equal("a.txt", name);
        using HttpResponseMessage deleted = await app.Client.TusAsync("DELETE", url);
        using HttpResponseMessage gone = await app.Client.TusAsync("HEAD", url);
        Assert.Equal((204, 404), ((int)deleted.StatusCode, (int)gone.StatusCode));
    }
}
