using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using ResumableUploads.Abstractions;
using ResumableUploads.Stores.Memory;
using ResumableUploads.Testing;
using ResumableUploads.Testing.Clients;
using ResumableUploads.Testing.Servers;
using ResumableUploads.Testing.Stores;

namespace ResumableUploads.UnitTests.Engine.Quotas;

/// <summary>
/// Every way in which a request can be rejected or fail, or an upload can end, must release what it has reserved. Each case is repeated more often than the limits
/// allow; then everything that one owner may use is available.
/// </summary>
public class GiveBackTests
{
    private const int MaxUploads = 3;
    private const int MaxBytes = 100;
    private static readonly (string, string) Partial = ("Upload-Concat", "partial");
    private static readonly (string, string) WrongDigest = ("Content-Digest", $"sha-256=:{Convert.ToBase64String(SHA256.HashData([9]))}:");

    private static readonly Dictionary<string, Func<Context, string, Task>> Cases = new()
    {
        ["rejected by OnCreating"] = static async (context, id) =>
        {
            context.Rejects = true;
            await context.SendAsync(id, 0, [1], 80, 409);
        },
        ["OnCreating throws"] = static (context, id) =>
        {
            context.Throws = true;
            return Assert.ThrowsAnyAsync<Exception>(() => context.Client.AppendAsync(id, 0, [1], 80));
        },
        ["creation fails"] = static async (context, id) =>
        {
            context.Store.AfterCreate = _ => throw Failure();
            await context.SendAsync(id, 0, [1], 80, 503);
            await context.DeleteAsync(id);
        },
        ["larger than the quota"] = static (context, id) => context.SendAsync(id, 0, [1], 101, 413),
        ["wrong digest of a new upload"] = static (context, id) => context.SendAsync(id, 0, [1], 80, 400, WrongDigest),
        ["wrong digest of a new complete upload"] = static (context, id) => context.SendAsync(id, 0, [1], 1, 400, WrongDigest),
        ["wrong digest of an upload of unknown length"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, [1], null, 200);
            await context.SendAsync(id, 1, new byte[80], null, 400, WrongDigest);
            await context.DeleteAsync(id);
        },
        ["append fails, known length"] = static async (context, id) =>
        {
            context.Store.BeforeAppend = _ => throw Failure();
            await context.SendAsync(id, 0, [1], 80, 503);
            await context.DeleteAsync(id);
        },
        ["append fails, unknown length"] = static async (context, id) =>
        {
            context.Store.BeforeAppend = _ => throw Failure();
            await context.SendAsync(id, 0, new byte[80], null, 503);
            await context.DeleteAsync(id);
        },
        ["append throws an unknown exception"] = static async (context, id) =>
        {
            context.Store.BeforeAppend = _ => throw new InvalidOperationException("bug");
            await Assert.ThrowsAnyAsync<Exception>(() => context.Client.AppendAsync(id, 0, new byte[80]));
            await context.DeleteAsync(id);
        },
        ["learning the length fails"] = static async (context, id) =>
        {
            await context.SendAsync("one", context.Round == 0 ? 0 : 1, context.Round == 0 ? [1] : [], null, 200);
            context.Store.BeforeUpdate = _ => throw Failure();
            await context.SendAsync("one", 1, [1], 80, 503);
            context.Store.BeforeUpdate = null;
            await (context.IsLastRound ? context.DeleteAsync("one") : Task.CompletedTask);
        },
        ["learned length, then removed"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, [1], null, 200);
            await context.SendAsync(id, 1, [1], 80, 200);
            await context.DeleteAsync(id);
        },
        ["body of unknown length beyond the quota"] = static async (context, id) =>
        {
            using HttpResponseMessage response = await context.Client.AppendAsync(id, 0, ProblemExpectations.Chunked(new byte[101]));
            Assert.Equal(413, (int)response.StatusCode);
            await context.DeleteAsync(id);
        },
        ["unfinished, removed"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, [1], 80, 200);
            await context.DeleteAsync(id);
        },
        ["finished, removed"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, new byte[80], 80, 200);
            await context.DeleteAsync(id);
        },
        ["finished in two requests, removed"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, new byte[40], 80, 200);
            await context.SendAsync(id, 40, new byte[40], 80, 200);
            await context.DeleteAsync(id);
        },
        ["finished with unknown length, removed"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, new byte[40], null, 200);
            await context.SendAsync(id, 40, new byte[40], 80, 200);
            await context.DeleteAsync(id);
        },
        ["finished by the end of a body of unknown length, removed"] = static async (context, id) =>
        {
            using HttpResponseMessage finished = await context.Client.IetfAsync(
                "POST", "/upload", IetfClient.Newest, ProblemExpectations.Chunked(new byte[80]), IetfClient.Completeness(IetfClient.Newest, true));
            Assert.Equal(201, (int)finished.StatusCode);
            Assert.Equal(204, await context.Client.IetfAsync("DELETE", finished.Header("Location")!, IetfClient.Newest, null).StatusOfAsync());
        },
        ["expired"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, [1], 80, 200);
            context.Time.Advance(TimeSpan.FromDays(8));
            await context.SendAsync(id, 1, [1], 80, 409);
        },
        ["retention over"] = static async (context, id) =>
        {
            await context.SendAsync(id, 0, new byte[80], 80, 200);
            context.Time.Advance(TimeSpan.FromDays(8));
            await context.SendAsync(id, 1, [1], 80, 409);
        },
        ["part vanishes while a concatenation is created"] = static async (context, id) =>
        {
            string part = await context.Client.CreateAsync("/upload", 40, Partial);
            context.Store.AfterCreate = async _ => Assert.Equal(204, await context.Client.TusAsync("DELETE", part).StatusOfAsync());
            Assert.Equal(400, await context.Client.TusAsync("POST", "/upload", null, ("Upload-Concat", $"final;{part}")).StatusOfAsync());
            context.Store.AfterCreate = null;
        },
        ["concatenated, removed"] = static async (context, id) =>
        {
            string part = await context.Client.CreateAsync("/upload", 40, Partial);
            Assert.Equal(204, await context.Client.AppendChunkAsync(part, 0, new byte[40]).StatusOfAsync());
            using HttpResponseMessage final = await context.Client.TusAsync("POST", "/upload", null, ("Upload-Concat", $"final;{part}"));
            Assert.Equal(201, (int)final.StatusCode);
            Assert.Equal(204, await context.Client.TusAsync("DELETE", final.Header("Location")!).StatusOfAsync());
        },
    };

    public static TheoryData<string> CaseNames => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(CaseNames))]
    public async Task Reservation_is_released_after(string name)
    {
        var context = new Context();
        await using TestApp app = await context.StartAsync();
        for (context.Round = 0; context.Round < MaxUploads + 2; context.Round++)
        {
            await Cases[name](context, $"f{context.Round}");
        }

        context.Reset();
        await context.SendAsync("g0", 0, [1], MaxBytes - (2 * (MaxUploads - 1)), 200);
        for (int i = 1; i < MaxUploads; i++)
        {
            await context.SendAsync($"g{i}", 0, [1], 2, 200);
        }

        // Not more is available than before.
        await context.SendAsync("h", 0, [1], 1, 429);
        Assert.Equal(MaxBytes, (await context.Inner.ListAsync(new UploadQuery(), default).ToListAsync()).Sum(static info => info.Length));
    }

    [Fact]
    public async Task Removal_of_finished_uploads_does_not_raise_MaxUploadsPerOwner()
    {
        var context = new Context();
        await using TestApp app = await context.StartAsync();
        for (int i = 0; i < MaxUploads; i++)
        {
            await context.SendAsync($"open{i}", 0, [1], 10, 200);
        }

        await context.DeleteAsync("open0");
        for (int i = 0; i < 3; i++)
        {
            await context.SendAsync("done", 0, [1], 1, 200);
            await context.DeleteAsync("done");
        }

        await context.SendAsync("open0", 0, [1], 10, 200);
        await context.SendAsync("more", 0, [1], 10, 429);
    }

    private static UploadStoreException Failure() => new(StoreFailure.Unavailable, "Injected failure.");

    private sealed class Context
    {
        private TestApp? _app;

        public Context()
        {
            Inner = new MemoryUploadStore(timeProvider: Time);
            Store = new HookedStore(Inner) { IsUnswept = true };
        }

        public FakeTimeProvider Time { get; } = new();

        public MemoryUploadStore Inner { get; }

        public HookedStore Store { get; }

        public HttpClient Client => _app!.Client;

        public int Round { get; set; }

        public bool IsLastRound => Round == MaxUploads + 1;

        public bool Rejects { get; set; }

        public bool Throws { get; set; }


        public async Task<TestApp> StartAsync() => _app = await ProblemExpectations.AppAsync(
            configure: options =>
            {
                options.Store = Store;
                (options.Limits.MaxUploadsPerOwner, options.Limits.MaxBytesPerOwner, options.Limits.MaxAppendsPerOwner) = (MaxUploads, MaxBytes, 1);
                options.FileId.CompleteOnFullBody = false;
                options.OnCreating = (creating, _) =>
                {
                    if (Rejects)
                    {
                        creating.Reject(409, "No.");
                    }

                    return Throws ? throw new InvalidOperationException("Injected failure.") : Task.CompletedTask;
                };
            },
            time: Time);

        public void Reset()
        {
            (Rejects, Throws) = (false, false);
            (Store.AfterCreate, Store.BeforeAppend, Store.BeforeUpdate, Store.BeforeDelete) = (null, null, null, null);
        }

        public async Task SendAsync(string id, long offset, byte[] body, long? size, int status, params (string, string)[] headers)
        {
            using HttpResponseMessage response = await Client.AppendAsync(id, offset, body, size, headers);
            Assert.Equal((status, id), ((int)response.StatusCode, id));
        }

        public async Task DeleteAsync(string id)
        {
            Reset();
            using HttpResponseMessage response = await Client.DeleteUploadAsync(id);
            Assert.True(response.IsSuccessStatusCode);
        }
    }
}
