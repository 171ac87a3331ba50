using System.Diagnostics;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace ResumableUploads.UnitTests.Repository;

/// <summary>The code in a Markdown text, and what is wrong with it.</summary>
internal static class ReadmeCode
{
    /// <summary>What a web project of the SDK has in scope without a word.</summary>
    private const string ImplicitUsings = """
        global using global::System;
        global using global::System.Collections.Generic;
        global using global::System.IO;
        global using global::System.Linq;
        global using global::System.Net.Http;
        global using global::System.Net.Http.Json;
        global using global::System.Threading;
        global using global::System.Threading.Tasks;
        global using global::Microsoft.AspNetCore.Builder;
        global using global::Microsoft.AspNetCore.Hosting;
        global using global::Microsoft.AspNetCore.Http;
        global using global::Microsoft.AspNetCore.Routing;
        global using global::Microsoft.Extensions.Configuration;
        global using global::Microsoft.Extensions.DependencyInjection;
        global using global::Microsoft.Extensions.Hosting;
        global using global::Microsoft.Extensions.Logging;
        """;

    /// <summary>Every assembly of this process, the package among them.</summary>
    public static IReadOnlyList<MetadataReference> References { get; } =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(static path => Path.GetFileName(path) is not ("ResumableUploads.UnitTests.dll" or "ResumableUploads.Testing.dll"))
            .Select(static path => MetadataReference.CreateFromFile(path)),
    ];

    /// <summary>The fenced blocks of a language, in order.</summary>
    public static IReadOnlyList<string> Blocks(string markdown, string language)
    {
        var blocks = new List<string>();
        List<string>? block = null;
        bool wanted = false;
        foreach (string line in markdown.ReplaceLineEndings("\n").Split('\n'))
        {
            string fence = line.TrimStart();
            if (!fence.StartsWith("```", StringComparison.Ordinal))
            {
                block?.Add(line);
            }
            else if (block is null)
            {
                block = [];
                wanted = fence[3..].Trim().Split(' ')[0] == language;
            }
            else
            {
                if (wanted)
                {
                    blocks.Add(string.Join('\n', block));
                }

                block = null;
            }
        }

        return blocks;
    }

    /// <summary>What the compiler says against a block of C#: a whole program, or declarations of types.</summary>
    public static IReadOnlyList<string> CSharpErrors(string code)
    {
        CSharpParseOptions options = CSharpParseOptions.Default.WithLanguageVersion(LanguageVersion.Latest);
        SyntaxTree tree = CSharpSyntaxTree.ParseText(code, options);
        bool isProgram = ((CompilationUnitSyntax)tree.GetRoot()).Members.Any(static member => member is GlobalStatementSyntax);
        var compilation = CSharpCompilation.Create(
            "readme",
            [tree, CSharpSyntaxTree.ParseText(ImplicitUsings, options)],
            References,
            new CSharpCompilationOptions(
                isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        return [.. compilation.GetDiagnostics()
            .Where(static d => d.Severity == DiagnosticSeverity.Error || d.Id is ['C', 'S', '8', '6', ..])
            .Select(static d => d.ToString())];
    }

    /// <summary>What node says against a block of JavaScript, or null. The test is skipped where node is missing.</summary>
    public static async Task<string?> JavaScriptErrorAsync(string code)
    {
        string file = Path.Combine(Path.GetTempPath(), $"readme-{Guid.NewGuid():n}.mjs");
        await File.WriteAllTextAsync(file, code);
        try
        {
            using Process node = Process.Start(new ProcessStartInfo("node", ["--check", file]) { RedirectStandardError = true })!;
            string error = await node.StandardError.ReadToEndAsync();
            await node.WaitForExitAsync();
            return node.ExitCode == 0 ? null : error;
        }
        catch (System.ComponentModel.Win32Exception)
        {
            Assert.Skip("node is missing: the JavaScript of the README is not checked.");
            return null;
        }
        finally
        {
            File.Delete(file);
        }
    }
}
