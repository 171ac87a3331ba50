using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.UnitTests.Hosting;

/// <summary>Names, ids and metadata that clients choose are not in log messages of level Information or above.</summary>
public class ClientTextInLogTests
{
    private const string Secret = "SeCrEt";

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Log_contains_no_text_of_a_client(bool fails)
    {
        await using TestApp app = await TestApp.StartAsync(
            options =>
            {
                options.Handler.MaxAttempts = 1;
                options.Limits.MaxUploadsPerOwner = 4;
                options.OnCompleted = (_, _) => fails ? throw new InvalidOperationException("The handler fails.") : Task.CompletedTask;
            },
            onTestHost: true);
        (string, string)[] description = [("X-File-Name", Secret + "-name.txt"), ("Content-Type", "application/" + Secret)];
        foreach (string id in new[] { "done", "canceled", "rejected" })
        {
            using HttpResponseMessage first = await app.Client.AppendAsync(Secret + id, 0, new byte[4], 10, description);
            using HttpResponseMessage stale = await app.Client.AppendAsync(Secret + id, 1, new byte[4], 10, description);
        }

        using HttpResponseMessage last = await app.Client.AppendAsync(Secret + "done", 4, new byte[6], 10, description);
        using HttpResponseMessage canceled = await app.Client.DeleteUploadAsync(Secret + "canceled");
        using HttpResponseMessage other = await app.Client.AppendAsync(Secret + "done", 10, [], 11, description);
        string metadata = $"filename {Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Secret))},{Secret} MQ==";
        for (int i = 0; i < 5; i++)
        {
            using HttpResponseMessage tus = await app.Client.TusAsync("POST", "/upload", null, ("Upload-Length", "4"), ("Upload-Metadata", metadata));
            using HttpResponseMessage ietf = await app.Client.IetfAsync(
                "POST", "/upload", IetfClient.Newest, new ByteArrayContent([]), ("Upload-Complete", "?0"), ("Content-Disposition", $"attachment; filename={Secret}"));
        }

        string[] lines = [.. app.Log.Lines.Where(static line => line.Contains(" ResumableUploads", StringComparison.Ordinal) && !line.StartsWith("Debug", StringComparison.Ordinal) && !line.StartsWith("Trace", StringComparison.Ordinal))];
        Assert.Contains(lines, line => line.Contains(fails ? "[210]" : "[204]", StringComparison.Ordinal));
        Assert.Contains(lines, static line => line.Contains("[308]", StringComparison.Ordinal));
        Assert.DoesNotContain(lines, static line => line.Contains(Secret, StringComparison.OrdinalIgnoreCase));
    }
}
