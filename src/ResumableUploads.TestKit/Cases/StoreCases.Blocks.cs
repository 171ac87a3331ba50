using ResumableUploads.Abstractions;
using ResumableUploads.TestKit.Support;

namespace ResumableUploads.TestKit.Cases;

/// <content>Cases around the boundaries of the blocks in which a store keeps content.</content>
internal sealed partial class StoreCases
{
    [Case(1, -1)]
    [Case(1, 0)]
    [Case(1, 1)]
    [Case(2, -1)]
    [Case(2, 0)]
    [Case(2, 1)]
    [Case(3, 12_345)]
    public async Task Law3_Content_that_ends_near_a_block_boundary_continues_there(int blocks, int difference)
    {
        byte[] bytes = Bytes((blocks * BlockSize) + difference);
        await CreateWithContentAsync(bytes);
        CaseAssert.Equal(bytes, await ReadContentAsync());
        CaseAssert.Equal((AppendStatus.Appended, bytes.Length + 100L), await AppendStatusAsync(bytes.Length, Bytes(100, 2)));
        byte[] expected = Concatenate(bytes, Bytes(100, 2));
        CaseAssert.Equal(expected, await ReadContentAsync());
        await CompleteAsync(Bytes(10));
        CaseAssert.Equal(expected, await ReadContentAsync());
    }

    [Case]
    public async Task Law3_Content_that_is_cut_in_the_middle_of_a_block_resumes_there()
    {
        byte[] bytes = Bytes((3 * BlockSize) + (BlockSize / 3));
        await CreateAsync();
        int offset = 0;
        foreach (int size in (int[])[(BlockSize / 2) + 1, BlockSize, 1, BlockSize / 4, BlockSize])
        {
            // The client announces all bytes and disconnects.
            var content = new RecordingContent { DeclaredLength = bytes.Length - offset };
            content.Send(bytes.AsSpan(offset, size));
            content.Complete();
            AppendResult result = await StartAppend(offset, content).WaitAsync(CaseTimeout, Token);
            offset += size;
            CaseAssert.Equal((AppendStatus.Appended, (long)offset), (result.Status, result.Offset));
            CaseAssert.Equal(offset, (await GetAsync()).Offset);
        }

        CaseAssert.Equal((AppendStatus.Appended, (long)bytes.Length), await AppendStatusAsync(offset, bytes[offset..]));
        CaseAssert.Equal(bytes, await ReadContentAsync());
    }

    [Case(-1, Requires = StoreCapabilities.SharedStorage)]
    [Case(0, Requires = StoreCapabilities.SharedStorage)]
    [Case(1, Requires = StoreCapabilities.SharedStorage)]
    [Case(1000, Requires = StoreCapabilities.SharedStorage)]
    public async Task Law6_Content_near_a_block_boundary_resumes_in_another_store(int difference)
    {
        byte[] bytes = Bytes((3 * BlockSize) + 100);
        int offset = BlockSize + difference;
        await CreateWithContentAsync(bytes[..offset]);
        IUploadStore other = await OpenStoreAsync();
        CaseAssert.Equal(offset, (await other.GetAsync(Key, Token))?.Offset ?? -1);
        AppendResult second = await other.AppendAsync(Key, offset, RecordingContent.FromBytes(bytes.AsSpan()[offset..^50]), AppendMode.KeepPartial, Token);
        CaseAssert.Equal((AppendStatus.Appended, bytes.Length - 50L), (second.Status, second.Offset));

        // The first store may have kept the unfinished block in memory.
        CaseAssert.Equal((AppendStatus.OffsetMismatch, second.Offset), await AppendStatusAsync(offset, Bytes(10)));
        CaseAssert.Equal((AppendStatus.Appended, (long)bytes.Length), await AppendStatusAsync(bytes.Length - 50, bytes[^50..]));
        CaseAssert.Equal(bytes, await ReadContentAsync(other, Key));
        CaseAssert.Equal(bytes, await ReadContentAsync());
        await DisposeStoreAsync(other);
    }
}
