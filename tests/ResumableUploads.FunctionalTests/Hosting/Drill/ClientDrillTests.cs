using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;

namespace ResumableUploads.FunctionalTests.Hosting.Drill;

/// <summary>What an operator sees of clients that are refused or get in the way of each other: the metric, the log, the health status and the page.</summary>
public class ClientDrillTests
{
    private const int Storm = 20;

    [Fact]
    public async Task Clients_refused_by_quota()
    {
        await using ObservedApp app = await ObservedApp.StartAsync(static options => options.Limits.MaxUploadsPerOwner = 1);
        (await app.Client.AppendAsync("f", 0, new byte[3], 6)).Dispose();
        await ShouldRefuseAsync(app, "too-many-uploads", () => app.Client.AppendAsync("g", 0, new byte[3], 6));
        Assert.Contains("Waiting for the client", await app.GetRowAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Clients_refused_by_size()
    {
        await using ObservedApp app = await ObservedApp.StartAsync(static options => options.MaxUploadSize = 10);
        await ShouldRefuseAsync(app, "too-large", () => app.Client.AppendAsync("f", 0, new byte[3], 11));
    }

    [Fact]
    public async Task Clients_refused_by_digest()
    {
        await using ObservedApp app = await ObservedApp.StartAsync();
        await ShouldRefuseAsync(
            app, "digest-mismatch", () => app.Client.AppendAsync("f", 0, new byte[3], 6, ("Content-Digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:")));
        await app.MeasuresAsync(1, "resumable_uploads.digest_mismatches");
    }

    [Fact]
    public async Task Clients_refused_by_a_wrong_token()
    {
        await using ObservedApp app = await ObservedApp.StartAsync();
        using HttpResponseMessage token = await app.Client.GetAsync("/token");
        string cookie = token.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
        using var form = new MultipartFormDataContent("b") { { new StringContent(await token.Content.ReadAsStringAsync() + "x"), "__RequestVerificationToken" }, { new ByteArrayContent(new byte[7]), "file", "a.txt" } };
        byte[] body = await form.ReadAsByteArrayAsync();

        using HttpResponseMessage response = await app.Client.AppendAsync(
            "f", 0, new ByteArrayContent(body), body.Length, "/form", ("Cookie", cookie), ("Content-Type", "multipart/form-data; boundary=b"));

        await response.ProblemAsync(400, "urn:resumable-uploads:antiforgery");
        await app.MeasuresAsync(1, "resumable_uploads.upload.dead_lettered", ("http.route", "/form"));
        await app.LogsAsync("Information[218] Upload ");
        Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
        Assert.Contains("The endpoint does not accept the request of the client.", await app.GetRowAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Preemption_storm()
    {
        await using ObservedApp app = await ObservedApp.StartAsync();
        RawConnection? current = null;
        (await app.Client.AppendAsync("f", 0, new byte[10], 1000)).Dispose();
        for (int i = 0; i <= Storm; i++)
        {
            // The status ends the append of the client before, and this client continues at its offset.
            long offset = await app.Client.StatusAsync("f");
            RawConnection next = await RawConnection.OpenAsync(app.App.Address);
            await next.SendHeadAsync("POST /upload", "X-File-Id: f", $"X-Start-Byte: {offset}", "X-File-Size: 1000", $"Content-Length: {1000 - offset}");
            await next.SendAsync(new byte[10]);
            await Eventually.TrueAsync(async () => (await app.GetRowAsync()).Contains("Receiving bytes", StringComparison.Ordinal), "the append runs");
            if (current is not null)
            {
                await current.DisposeAsync();
            }

            current = next;
        }

        await current!.DisposeAsync();
        await app.MeasuresAsync(Storm, "resumable_uploads.preemptions");
        await Eventually.TrueAsync(
            () => app.Log.Count(static line => line.StartsWith("Information[202] An append to upload ", StringComparison.Ordinal) && line.Contains("(Preempted)", StringComparison.Ordinal)) == Storm,
            "the log has a line for each");
        Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
        Assert.Equal(Storm.ToString(CultureInfo.InvariantCulture), await app.GetNumberAsync("preemptions"));
    }

    /// <summary>The numbers of the other tests are those of one app, while other apps of the process receive uploads.</summary>
    [Fact]
    public async Task Uploads_of_another_app_are_not_measured()
    {
        await using ObservedApp other = await ObservedApp.StartAsync();
        await using ObservedApp app = await ObservedApp.StartAsync();

        (await other.Client.AppendAsync("f", 0, new byte[6], 6)).Dispose();

        await other.MeasuresAsync(1, "resumable_uploads.upload.received");
        Assert.Equal(0, app.Metrics.Sum("resumable_uploads.upload.received"));
    }

    private static async Task ShouldRefuseAsync(ObservedApp app, string problem, Func<Task<HttpResponseMessage>> send)
    {
        using HttpResponseMessage response = await send();

        int status = (int)response.StatusCode;
        await response.ProblemAsync(status, "urn:resumable-uploads:" + problem);
        Assert.InRange(status, 400, 499);
        await app.MeasuresAsync(1, "resumable_uploads.refusals", ("error.type", problem), ("http.response.status_code", status), ("http.route", "/upload"));
        await app.LogsAsync($"Information[308] A request was refused with {status} ({problem}): upload ");
        Assert.DoesNotContain(app.Log, static line => line.StartsWith("Warning[3", StringComparison.Ordinal) || line.StartsWith("Error", StringComparison.Ordinal));
        Assert.Equal(HealthStatus.Healthy, (await app.CheckAsync()).Status);
        Assert.Equal("1", await app.GetNumberAsync("refusals"));
    }
}
