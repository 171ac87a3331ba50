using System.Buffers;
using ResumableUploads.Abstractions;

namespace ResumableUploads.TestKit.Cases;

internal sealed partial class StoreCases
{
    [Case(UploadState.Received, Needs = StoreAbilities.CreatesWhole)]
    [Case(UploadState.Completed, Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_is_there_with_its_record_and_all_its_bytes(UploadState state)
    {
        var record = new UploadRecord { State = state, Length = 5000, SlidingExpiration = TimeSpan.FromHours(1), Data = Bytes(77) };
        UploadInfo made = await CreateWholeAsync(record, Bytes(5000));

        UploadInfo read = await GetAsync();
        Check.Equal((Key, state, 5000L), (made.Key, made.State, made.Offset));
        Check.Equal((made.Key, made.Version, made.Offset, made.LastChanged), (read.Key, read.Version, read.Offset, read.LastChanged));
        Check.Equal(Time.GetUtcNow(), made.LastChanged, TimeSpan.FromSeconds(1));
        CheckSameFields(record, read.Record);
        Check.Equal(Bytes(5000), await ContentAsync());
        Check.Equal(new[] { Key }, await ListAsync());
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_of_nothing_has_no_bytes()
    {
        Check.Equal(0, (await CreateWholeAsync(Completed, [])).Offset);
        Check.Empty(await ContentAsync());
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_is_of_many_segments_and_of_the_greatest_length()
    {
        byte[] bytes = Bytes((int)Math.Min(Store.MaxWholeLength, 1 << 20));
        Check.NotEmpty(bytes);
        CreateResult result = await Store.CreateWholeAsync(Key, Completed, Segments.Of(bytes, 4096), Token);
        Check.Equal((CreateStatus.Created, (long)bytes.Length), (result.Status, result.Info?.Offset ?? 0));
        Check.Equal(bytes, await ContentAsync());
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task The_bytes_and_data_of_a_whole_upload_are_what_they_were_at_the_call()
    {
        byte[] bytes = Bytes(100);
        byte[] data = Bytes(50);
        await CreateWholeAsync(Completed with { Data = data }, bytes);
        bytes.AsSpan().Clear();
        data.AsSpan().Clear();
        Check.Equal(Bytes(100), await ContentAsync());
        Check.Equal(Bytes(50), (await GetAsync()).Record.Data.ToArray());
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_is_not_receiving()
    {
        await Check.ThrowsAsync<ArgumentException>(() => CreateWholeAsync(new UploadRecord(), Bytes(10)));
        Check.Null(await Store.GetAsync(Key, Token));
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_creation_answers_taken_and_changes_nothing_when_the_key_is_there()
    {
        UploadInfo before = await CreateWithAsync(Bytes(10));
        CreateResult result = await Store.CreateWholeAsync(Key, Completed, new ReadOnlySequence<byte>(Bytes(20, 2)), Token);
        Check.Equal(new CreateResult(CreateStatus.Taken, null), result);
        Check.Equal(before.Version, (await GetAsync()).Version);
        Check.Equal(Bytes(10), await ContentAsync());
    }

    [Case(Needs = StoreAbilities.CreatesWhole)]
    public async Task Of_many_creations_of_both_kinds_exactly_one_makes_it()
    {
        for (int round = 0; round < 10; round++)
        {
            var key = new UploadKey("owner", $"race-{round}");
            CreateResult[] results = await AtOnceAsync(8, async i => i % 2 == 0
                ? await Store.CreateAsync(key, new UploadRecord { Data = new[] { (byte)i } }, Token)
                : await Store.CreateWholeAsync(key, Completed with { Data = new[] { (byte)i } }, new ReadOnlySequence<byte>(Bytes(100, i)), Token));

            CreateResult winner = Check.Single(results, result => result.Status == CreateStatus.Created);
            UploadInfo now = await GetAsync(key);
            Check.Equal((winner.Info!.Version, winner.Info.State), (now.Version, now.State));
            Check.Equal(winner.Info.State == UploadState.Receiving ? [] : Bytes(100, winner.Info.Record.Data.Span[0]), await ContentAsync(key));
        }
    }

    [Case(UploadState.Received, Needs = StoreAbilities.CreatesWhole)]
    [Case(UploadState.Completed, Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_takes_an_outcome_and_updates_and_no_bytes(UploadState state)
    {
        UploadInfo made = await CreateWholeAsync(Completed with { State = state }, Bytes(100));
        PipeContent content = PipeContent.Of(Bytes(10));
        Check.Equal(
            new AppendResult(AppendStatus.NotReceiving, 100, made.Version), await StartAppend(100, content).WaitAsync(Patience, Token));
        Check.Equal(0, content.Reads);

        await Store.PutOutcomeAsync(Key, Bytes(30), Token);
        Check.Equal(made.Version, (await GetAsync()).Version);
        UpdateResult updated = await Store.UpdateAsync(Key, made.Version, Completed with { Data = Bytes(9) }, Token);
        Check.Equal((ChangeStatus.Done, UploadState.Completed, 100L), (updated.Status, updated.Info!.State, updated.Info.Offset));
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.UpdateAsync(Key, made.Version, Completed, Token)).Status);
        Check.Equal(Bytes(30), (await Store.GetOutcomeAsync(Key, Token))?.ToArray());
        Check.Equal(Bytes(100), await ContentAsync());
    }

    [Case(true, Needs = StoreAbilities.CreatesWhole)]
    [Case(false, Needs = StoreAbilities.CreatesWhole)]
    public async Task A_whole_upload_can_be_deleted_and_made_again(bool isConditional)
    {
        UploadInfo first = await CreateWholeAsync(Completed, Bytes(100));
        Check.Equal(ChangeStatus.VersionMismatch, (await Store.DeleteAsync(Key, first.Version + "x", Token)).Status);
        Check.Equal(ChangeStatus.Done, (await Store.DeleteAsync(Key, isConditional ? first.Version : null, Token)).Status);
        Check.Null(await Store.GetAsync(Key, Token));
        Check.NotEqual(first.Version, (await CreateWholeAsync(Completed, Bytes(100))).Version);
    }

    [Case(Needs = StoreAbilities.CreatesWhole | StoreAbilities.SharesStorage)]
    public async Task Law6_a_whole_upload_is_there_after_a_restart()
    {
        UploadInfo made = await CreateWholeAsync(Completed with { Data = Bytes(7) }, Bytes(100));
        await CloseAsync(_store);
        _store = await OpenAgainAsync();
        UploadInfo now = await GetAsync();
        Check.Equal((made.Version, made.Offset, made.LastChanged), (now.Version, now.Offset, now.LastChanged));
        Check.Equal(Bytes(100), await ContentAsync());
    }

    [Case(Without = StoreAbilities.CreatesWhole)]
    public async Task A_store_that_is_tried_without_whole_uploads_makes_none()
    {
        Check.Equal(0, Store.MaxWholeLength);
        await Check.ThrowsAsync<NotSupportedException>(() => CreateWholeAsync(Completed, Bytes(10)));
    }

    private static UploadRecord Completed { get; } = new() { State = UploadState.Completed };

    private async Task<UploadInfo> CreateWholeAsync(UploadRecord record, byte[] bytes)
    {
        CreateResult result = await Store.CreateWholeAsync(Key, record, new ReadOnlySequence<byte>(bytes), Token);
        Check.Equal(CreateStatus.Created, result.Status);
        return Check.NotNullOf(result.Info);
    }

    /// <summary>Bytes in pieces, as they come from a connection.</summary>
    private sealed class Segments : ReadOnlySequenceSegment<byte>
    {
        private Segments(ReadOnlyMemory<byte> memory, long index) => (Memory, RunningIndex) = (memory, index);

        public static ReadOnlySequence<byte> Of(byte[] bytes, int size)
        {
            var first = new Segments(bytes.AsMemory(0, Math.Min(size, bytes.Length)), 0);
            Segments last = first;
            for (int i = size; i < bytes.Length; i += size)
            {
                var next = new Segments(bytes.AsMemory(i, Math.Min(size, bytes.Length - i)), i);
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
