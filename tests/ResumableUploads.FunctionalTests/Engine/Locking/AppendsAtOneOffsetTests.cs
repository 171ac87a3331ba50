using System.Security.Cryptography;
using Microsoft.AspNetCore.Builder;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;

namespace ResumableUploads.FunctionalTests.Engine.Locking;

/// <summary>Several live clients that append to one upload at the same offset at the same time.</summary>
public class AppendsAtOneOffsetTests
{
    private const string Url = "/files";
    private const int Rounds = 200;

    /// <summary>The number of rounds on a slow machine.</summary>
    private const int MinRounds = 20;
    private const int Senders = 4;
    private const int Begun = 10;
    private static readonly TimeSpan MaxTime = TimeSpan.FromSeconds(60);
    private static readonly byte[] Start = RandomNumberGenerator.GetBytes(Begun);

    [Theory]
    [InlineData(ProtocolClient.FileId, 409, 503)]
    [InlineData(ProtocolClient.Tus, 400, 423)]
    [InlineData(ProtocolClient.Ietf, 409, 503)]
    public async Task Exactly_one_of_concurrent_appends_at_one_offset_continues(string protocol, int preempted, int busy)
    {
        byte[]? completed = null;
        await using TestApp app = await EndpointApp.StartAsync(app => app.MapResumableUploads(Url, options => options.OnCompleted = async (upload, cancellationToken) =>
        {
            await using Stream content = await upload.OpenReadAsync(cancellationToken);
            using var copy = new MemoryStream();
            await content.CopyToAsync(copy, cancellationToken);
            completed = copy.ToArray();
        }));
        long start = TimeProvider.System.GetTimestamp();
        for (int round = 0; round < Rounds && (round < MinRounds || TimeProvider.System.GetElapsedTime(start) < MaxTime); round++)
        {
            // Bodies of several reads, so that a sender can be preempted between two of them.
            byte[][] bodies = [.. Enumerable.Range(0, Senders).Select(static _ => RandomNumberGenerator.GetBytes(300_000))];
            string url = await app.Client.BeginAsync(protocol, Url, Start, Begun + bodies[0].Length);
            int[] statuses = await Task.WhenAll(bodies.Select(async body =>
            {
                using HttpResponseMessage response = await app.Client.FinishAsync(protocol, url, Begun, body);
                return (int)response.StatusCode;
            }));

            int winner = Assert.Single(Enumerable.Range(0, Senders), i => statuses[i] < 300);
            Assert.All(statuses.Where((_, i) => i != winner), status => Assert.Contains(status, new[] { 409, preempted, busy }));
            Assert.Equal((byte[])[.. Start, .. bodies[winner]], completed);
            completed = null;
            if (protocol == ProtocolClient.FileId)
            {
                using HttpResponseMessage deleted = await app.Client.SendFileIdAsync("DELETE", url, null);
                Assert.Equal(204, (int)deleted.StatusCode);
            }
        }
    }
}
