using ResumableUploads.Abstractions;
using ResumableUploads.Engine;
using ResumableUploads.Engine.Diagnostics;
using ResumableUploads.Engine.Expiration;

namespace ResumableUploads.UnitTests.Engine.Expiration;

public class UsageTotalsTests
{
    private const int Owners = 20_000;
    private readonly UsageTotals _totals = new();

    [Fact]
    public void Endpoints_are_counted_by_protocol_and_pattern()
    {
        Add("a", 1, new EngineRecord { Protocol = "tus", EngineName = "/upload\0x" });
        Add("b", 2, new EngineRecord { Protocol = "tus", EngineName = "/upload\0y" });
        Add("a", 10, new EngineRecord { Protocol = "ietf", EngineName = "/upload\0x" });
        Add("a", 20, new EngineRecord { Protocol = "tus", EngineName = "other", Route = "/videos/{id}" });
        Assert.Equal(
            [
                KeyValuePair.Create(new UploadOrigin("tus", "/videos/{id}"), new UploadCount(1, 20)),
                KeyValuePair.Create(new UploadOrigin("ietf", "/upload"), new UploadCount(1, 10)),
                KeyValuePair.Create(new UploadOrigin("tus", "/upload"), new UploadCount(2, 3)),
            ],
            _totals.GetEndpoints());
    }

    [Fact]
    public void Endpoints_after_the_limit_and_damaged_records_have_one_entry()
    {
        _totals.Add(Create("a", 5, "{"u8.ToArray()));
        for (int i = 0; i < UsageTotals.MaxEndpoints + 10; i++)
        {
            Add("a", 1, new EngineRecord { Protocol = "tus", Route = $"/{i}" });
        }

        KeyValuePair<UploadOrigin, UploadCount>[] endpoints = _totals.GetEndpoints();
        Assert.Equal(UsageTotals.MaxEndpoints, endpoints.Length);
        Assert.Equal(new UploadCount(12, 16), endpoints.Single(static endpoint => endpoint.Key == default).Value);
    }

    [Fact]
    public void Top_owners_of_an_ordered_listing_are_exact_with_bounded_memory()
    {
        // The owner of number 7 is the third largest, and is followed by many smaller ones that are larger than those before.
        for (int i = 0; i < Owners; i++)
        {
            Add($"o-{i}", i is 3 or 7 ? 1_000_000 - i : i);
            Add($"o-{i}", i == Owners - 1 ? 2_000_000 : 1);
            Assert.InRange(_totals.OwnerCount, 1, UsageTotals.MaxOwners);
        }

        KeyValuePair<string, UploadCount>[] owners = _totals.GetTopOwners();
        Assert.Equal(UsageTotals.ReportedOwners, owners.Length);
        Assert.Equal([$"o-{Owners - 1}", "o-3", "o-7", $"o-{Owners - 2}"], owners.Take(4).Select(static owner => owner.Key));
        Assert.Equal(new UploadCount(2, 999_998), owners[1].Value);
        Assert.Equal(new UploadCount(2, Owners - 1), owners[3].Value);
    }

    [Fact]
    public void Owner_that_a_checkpoint_has_split_is_exact()
    {
        Add("split", 1);
        for (int i = 0; i < Owners; i++)
        {
            Add($"o-{i}", 100);
        }

        Add("split", 1000);
        Assert.Equal(KeyValuePair.Create("split", new UploadCount(2, 1001)), _totals.GetTopOwners()[0]);
    }

    [Fact]
    public void Owner_of_an_unordered_listing_never_has_too_many_bytes()
    {
        for (int round = 0; round < 3; round++)
        {
            for (int i = 0; i < 3 * UsageTotals.MaxOwners; i++)
            {
                Add($"o-{i}", i);
            }
        }

        Assert.Equal(UsageTotals.ReportedOwners, _totals.GetTopOwners().Length);
        Assert.All(_totals.GetTopOwners(), static owner => Assert.True(owner.Value.Bytes <= 3 * int.Parse(owner.Key["o-".Length..])));
    }

    private static readonly byte[] Record = new EngineRecord { Protocol = "tus", EngineName = "/upload" }.ToBytes().ToArray();

    private static UploadInfo Create(string owner, long bytes, byte[] data) => new()
    {
        Key = new UploadKey(owner, "id"),
        Version = "1",
        Offset = bytes,
        Record = new UploadRecord { Data = data },
        LastModified = DateTimeOffset.UnixEpoch,
    };

    private void Add(string owner, long bytes, EngineRecord? record = null) => _totals.Add(Create(owner, bytes, record?.ToBytes().ToArray() ?? Record));
}
