namespace ResumableUploads.Stores.FileSystem.Scheduling;

/// <summary>Locks that threads of this process hold while they use one upload. Uploads share no lock, so that a call that hangs holds up no other upload.</summary>
internal sealed class KeyedLocks
{
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Gets the number of keys that are locked or waited for.</summary>
    public int Count
    {
        get
        {
            lock (_entries)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>Enters the lock of a key. The same thread may enter it again.</summary>
    /// <param name="key">The key.</param>
    /// <param name="timeout">The maximum time to wait.</param>
    /// <param name="beforeWait">The action before a wait. If it throws, the lock is not entered.</param>
    /// <returns>The lock, which must be disposed by the same thread, or null after the timeout.</returns>
    public KeyedLock? TryEnter(string key, TimeSpan timeout, Action beforeWait)
    {
        Entry entry = AddUse(key);
        bool isEntered = false;
        try
        {
            isEntered = Monitor.TryEnter(entry);
            if (!isEntered)
            {
                beforeWait();
                isEntered = Monitor.TryEnter(entry, timeout);
            }
        }
        finally
        {
            if (!isEntered)
            {
                RemoveUse(key, entry);
            }
        }

        return isEntered ? new KeyedLock(this, key, entry) : null;
    }

    private Entry AddUse(string key)
    {
        lock (_entries)
        {
            if (!_entries.TryGetValue(key, out Entry? entry))
            {
                _entries.Add(key, entry = new Entry());
            }

            entry.UseCount++;
            return entry;
        }
    }

    private void RemoveUse(string key, Entry entry)
    {
        lock (_entries)
        {
            if (--entry.UseCount == 0)
            {
                _entries.Remove(key);
            }
        }
    }

    internal sealed class Entry
    {
        public int UseCount { get; set; }
    }

    /// <summary>A lock that the current thread holds.</summary>
    internal readonly struct KeyedLock(KeyedLocks locks, string key, Entry entry) : IDisposable
    {
        public void Dispose()
        {
            Monitor.Exit(entry);
            locks.RemoveUse(key, entry);
        }
    }
}
