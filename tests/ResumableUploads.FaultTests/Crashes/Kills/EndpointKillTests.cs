using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FaultTests.Crashes.Kills;

/// <summary>
/// The server is killed at each step between the last byte of an upload to an endpoint and its response. RESUMABLE_UPLOADS_CRASH_ROUNDS sets the
/// number of rounds.
/// </summary>
public class EndpointKillTests
{
    private const int Rounds = 10;

    /// <summary>
    /// The step; the total number of handler starts; whether the first start is reported as a repeat, because an earlier one was recorded but never
    /// ran; whether the response is that of the process that died.
    /// </summary>
    public static TheoryData<string, int, bool, bool> Steps => new()
    {
        { "after-last-append", 1, false, false },
        { "before-received", 1, false, false },
        { "after-received", 1, true, false },
        { "before-effect", 2, false, false },
        { "after-effect", 2, false, false },
        { "before-completed", 2, false, false },
        { "after-completed", 1, false, true },
        { "before-answer", 1, false, true },
    };

    [Theory]
    [MemberData(nameof(Steps))]
    public async Task Kill_at_any_step_leaves_one_effect_and_one_response(string step, int starts, bool firstIsRepeat, bool isOldResponse)
    {
        using var directory = new UploadDirectory();
        string effectsDirectory = Path.Combine(directory.Root, "..", "effects");
        var effects = new EndpointEffects(effectsDirectory);
        var random = new Random(7);
        int rounds = RoundsWanted();
        ChildHost child = await StartAsync(directory, effectsDirectory, 0);
        try
        {
            for (int round = 0; round < rounds; round++)
            {
                byte[] content = RandomNumberGenerator.GetBytes(2 + random.Next(1 << random.Next(6, 19)));
                int[] cuts = [.. Enumerable.Range(0, 1 + (round % 2)).Select(_ => 1 + random.Next(content.Length - 1)).Distinct().Order()];
                var upload = new EndpointUpload($"upload-{round}", content, step);
                Task<HttpResponseMessage> last = await upload.SendChunksAsync(child.Client, cuts);
                await Assert.ThrowsAnyAsync<HttpRequestException>(() => last);
                await child.EndAsync();
                int dead = child.Id;
                await child.DisposeAsync();
                child = await StartAsync(directory, effectsDirectory, round + 1);

                EndpointResponse answer = await upload.ReconnectAsync(child.Client, cuts[^1]);
                AssertIsWhole(answer, upload, content.Length, isOldResponse ? dead : child.Id);
                Assert.Equal(answer, await upload.AskAsync(child.Client));
                Assert.Equal(upload.Hash, Assert.Single(effects.HashesOf(upload.Key)));
                IReadOnlyList<(int Attempt, bool IsRepeat)> runs = effects.RunsOf(upload.Key);
                Assert.Equal(Enumerable.Range(0, starts).Select(i => (i + (firstIsRepeat ? 2 : 1), i > 0 || firstIsRepeat)), runs);
            }

            Assert.Equal(rounds, effects.Count);
        }
        catch (Exception e) when (child.Errors.Length > 0)
        {
            throw new InvalidOperationException($"{e.Message}\nThe server's log:\n{child.Errors}", e);
        }
        finally
        {
            await child.DisposeAsync();
        }
    }

    private static Task<ChildHost> StartAsync(UploadDirectory directory, string effects, int number) => ChildHost.StartAsync(
        directory.Root,
        $"Effects={effects}",
        $"ResumableUploads:FileSystem:Durability={(number % 5 == 4 ? "PowerLoss" : "ProcessCrash")}",
        "ResumableUploads:Handler:LeaseDuration=00:00:04");

    private static void AssertIsWhole(EndpointResponse answer, EndpointUpload upload, int size, int process)
    {
        Assert.Equal((201, "true", $"\"{upload.Hash}\""), (answer.Status, answer.IsComplete, answer.ETag));
        Assert.Equal($"/effects/{upload.Key.Split('/')[1]}", answer.Location);
        using JsonDocument body = JsonDocument.Parse(answer.Body);
        Assert.Equal(upload.Key, body.RootElement.GetProperty("key").GetString());
        Assert.Equal(upload.Hash, body.RootElement.GetProperty("hash").GetString());
        Assert.Equal(size, body.RootElement.GetProperty("size").GetInt32());
        Assert.Equal(process, body.RootElement.GetProperty("processId").GetInt32());
    }

    private static int RoundsWanted() =>
        int.TryParse(Environment.GetEnvironmentVariable("RESUMABLE_UPLOADS_CRASH_ROUNDS"), CultureInfo.InvariantCulture, out int wanted)
            ? Math.Max(1, wanted * Rounds / 200)
            : Rounds;
}
