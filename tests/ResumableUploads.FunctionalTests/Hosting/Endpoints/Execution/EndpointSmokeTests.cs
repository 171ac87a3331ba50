using System.Net;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Hosting.Endpoints.Execution;

public class EndpointSmokeTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Two_chunks_reach_endpoint_as_one_request(bool onTestHost)
    {
        byte[] file = RandomNumberGenerator.GetBytes(300_000);
        int runs = 0;
        await using TestApp app = await EndpointApp.StartAsync(
            app => app.MapPost("/videos/{album}", async (string album, HttpRequest request, Stream body) =>
            {
                runs++;
                using var content = new MemoryStream();
                await body.CopyToAsync(content);
                Assert.Equal(file, content.ToArray());
                return Results.Json(new { album, request.ContentType, request.ContentLength, request.Method }, statusCode: 201);
            }).WithResumableUploads(),
            onTestHost: onTestHost);

        const string Path = "/videos/summer?x=1";
        Assert.Equal(0, await app.Client.StatusAsync("f", Path));
        using (HttpResponseMessage first = await app.Client.AppendAsync("f", 0, new ByteArrayContent(file[..100_000]), file.Length, Path, ("Content-Type", "video/mp4")))
        {
            Assert.Equal((HttpStatusCode.OK, "100000"), (first.StatusCode, await first.Content.ReadAsStringAsync()));
            Assert.Equal("false", first.Header("X-Upload-Complete"));
        }

        Assert.Equal(100_000, await app.Client.StatusAsync("f", Path));
        for (int i = 0; i < 2; i++)
        {
            using HttpResponseMessage last = await app.Client.AppendAsync(
                "f", i == 0 ? 100_000 : file.Length, new ByteArrayContent(i == 0 ? file[100_000..] : []), file.Length, Path, ("Content-Type", "application/octet-stream"));
            Assert.Equal(HttpStatusCode.Created, last.StatusCode);
            Assert.Equal("true", last.Header("X-Upload-Complete"));
            Assert.Equal("""{"album":"summer","contentType":"video/mp4","contentLength":300000,"method":"POST"}""", await last.Content.ReadAsStringAsync());
        }

        Assert.Equal(1, runs);
    }
}
